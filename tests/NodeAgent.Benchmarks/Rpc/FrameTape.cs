using NodeAgent.Agent.Frames;
using NodeAgent.Contracts.Frames;

namespace NodeAgent.Benchmarks.Rpc;

/// <summary>
/// Ten minutes of one agent's frames, packed once by the agent's own encoder and played to many streams: making values and packing them
/// would cost the sending side more than the receiving side, which is what is measured. After its end it begins anew with a key frame, as
/// after a restart of the host: counters fall.
/// </summary>
internal sealed class FrameTape
{
    private const int Seconds = 10 * FrameBuilder.FramesPerKey;
    private const int Tapes = 8; // a fleet's hosts do not all move alike
    private const uint SchemaId = 1;

    private static readonly Lazy<FrameTape[]> s_tapes = new(() => [.. Enumerable.Range(0, Tapes).Select(seed => new FrameTape(seed))]);

    private readonly byte[][] _payloads = new byte[Seconds][];

    private FrameTape(int seed)
    {
        HostLikeFrames frames = new(seed);
        SchemaBook book = new();
        uint id = book.Register("bench", 1_000, frames.Table.Definitions, 1, replaces: null);
        Schema = id == SchemaId ? book.TryGet(id)! : throw new InvalidOperationException($"BUG: the first schema is number {id}");
        BlockEncoder encoder = new(frames.Table.Definitions);
        for (int second = 0; second < Seconds; second++)
        {
            if (IsKey(second))
            {
                encoder.Reset();
            }

            frames.Tick();
            _payloads[second] = encoder.Encode(frames.Table.Values, frames.Table.Present).ToArray();
        }
    }

    /// <summary>The message that registers the columns.</summary>
    internal byte[] Schema { get; }

    internal static FrameTape Of(int stream) => s_tapes.Value[stream % Tapes];

    /// <summary>Writes the message of a frame; fields as <see cref="FrameBuilder"/> writes them.</summary>
    /// <param name="sequence">From 1; says also which place of the tape it is.</param>
    /// <param name="wallUnixMs">Its time.</param>
    /// <param name="frame">Scratch.</param>
    /// <param name="message">What is sent.</param>
    internal void Write(ulong sequence, long wallUnixMs, ProtoWriter frame, ProtoWriter message)
    {
        int second = (int)((sequence - 1) % Seconds);
        frame.Clear();
        frame.WriteVarintField(1, sequence);
        frame.WriteVarintField(2, (ulong)wallUnixMs);
        frame.WriteVarintField(3, (ulong)wallUnixMs * 1_000_000);
        frame.WriteVarintField(4, 1);
        if (IsKey(second))
        {
            frame.WriteVarintField(5, 1);
        }

        frame.WriteBlockField(6, SchemaId, _payloads[second]);
        message.Clear();
        message.WriteBytesField(3, frame.Written);
    }

    private static bool IsKey(int second) => second % FrameBuilder.FramesPerKey == 0;
}
