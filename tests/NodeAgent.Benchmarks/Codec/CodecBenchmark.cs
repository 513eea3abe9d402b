using System.Diagnostics;
using NodeAgent.Contracts.Frames;

namespace NodeAgent.Benchmarks.Codec;

/// <summary>What a block costs: bytes a sample, nanoseconds a sample each way, bytes allocated.</summary>
internal static class CodecBenchmark
{
    private const int Ticks = 20_000;
    private const int Rounds = 5;

    internal static int Run(string[] arguments)
    {
        if (arguments.Length > 0)
        {
            Console.Error.WriteLine($"codec takes no argument; got '{arguments[0]}'");
            return 2;
        }

        HostLikeFrames frames = new(seed: 1);
        BlockEncoder encoder = new(frames.Table.Definitions);
        BlockDecoder decoder = new(frames.Table.Definitions);
        byte[][] payloads = new byte[Ticks][];
        List<double> encodeNs = [];
        List<double> decodeNs = [];
        long bytes = 0;
        long allocated = 0;
        for (int round = 0; round < Rounds; round++)
        {
            long encodeTicks = 0;
            bytes = 0;
            for (int tick = 0; tick < Ticks; tick++)
            {
                frames.Tick();
                if (tick % 60 == 0)
                {
                    encoder.Reset();
                }

                long start = Stopwatch.GetTimestamp();
                ReadOnlySpan<byte> payload = encoder.Encode(frames.Table.Values, frames.Table.Present);
                encodeTicks += Stopwatch.GetTimestamp() - start;
                bytes += payload.Length;
                payloads[tick] = payload.ToArray();
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            long decodeStart = Stopwatch.GetTimestamp();
            foreach (byte[] payload in payloads)
            {
                if (decoder.Decode(payload) != BlockError.None)
                {
                    throw new InvalidOperationException("BUG: a block did not come back");
                }
            }

            decodeNs.Add(Stopwatch.GetElapsedTime(decodeStart).TotalNanoseconds / (Ticks * (double)HostLikeFrames.Columns));
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            encodeNs.Add(encodeTicks * 1e9 / Stopwatch.Frequency / (Ticks * (double)HostLikeFrames.Columns));
        }

        double perSample = bytes / (Ticks * (double)HostLikeFrames.Columns);
        Console.WriteLine($"{"bytes/sample",14} {"encode ns",10} {"decode ns",10} {"decode B/blk",12}");
        Console.WriteLine($"{perSample,14:0.000} {Arguments.Median(encodeNs),10:0.00} {Arguments.Median(decodeNs),10:0.00} {allocated / (double)Ticks,12:0.0}");
        Console.WriteLine(
            $$"""{"bytes_per_sample":{{perSample:0.0000}},"encode_ns_per_sample":{{Arguments.Median(encodeNs):0.00}},"decode_ns_per_sample":{{Arguments.Median(decodeNs):0.00}},"decode_alloc_bytes_per_block":{{allocated / (double)Ticks:0.0}}}""");
        return 0;
    }
}
