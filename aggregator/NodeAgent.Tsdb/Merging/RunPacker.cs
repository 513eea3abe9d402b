using System.IO.Compression;
using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Merging;

/// <summary>
/// Packs a finished run with Brotli where that is smaller. Quality 1: measured on fleet telemetry, 4 and more save another third of a
/// percent and take twice the time (docs/formats/segment.md).
/// </summary>
internal sealed class RunPacker
{
    private const int Quality = 1;
    private const int WindowBits = 18;
    private const int SmallestRun = 64;

    private readonly ChunkWriter _packed = new();
    private byte[] _buffer = [];

    public ReadOnlySpan<byte> Pack(ReadOnlySpan<byte> run, bool wanted, out RunPacking packing)
    {
        packing = RunPacking.None;
        if (!wanted || run.Length < SmallestRun)
        {
            return run;
        }

        int bound = BrotliEncoder.GetMaxCompressedLength(run.Length);
        if (_buffer.Length < bound)
        {
            _buffer = GC.AllocateUninitializedArray<byte>(Math.Max(bound, _buffer.Length * 2));
        }

        if (!BrotliEncoder.TryCompress(run, _buffer, out int written, Quality, WindowBits) || written + 3 >= run.Length)
        {
            return run;
        }

        packing = RunPacking.Brotli;
        _packed.Clear();
        _packed.WriteUnsigned((ulong)run.Length);
        _packed.Write(_buffer.AsSpan(0, written));
        return _packed.Written;
    }
}
