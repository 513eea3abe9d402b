using NodeAgent.Contracts.Frames;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Fuzz.Targets;

/// <summary>
/// Blocks of one sampler in a row. The first byte is the number of columns, the second their kinds; then <see cref="Parts"/>.
/// What could be read must survive being written and read again, bit for bit.
/// </summary>
internal sealed class BlockTarget : Engine.IFuzzTarget
{
    private static readonly uint[] Scales = [0, 1, 100, uint.MaxValue];

    public string Name => "block";

    public IReadOnlyList<byte[]> Seeds { get; } = [Seed(3, 0b01), Seed(70, 0b1001), Seed(200, 0b110)];

    public IReadOnlyList<Type> Covers { get; } = [typeof(BlockDecoder)];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < 2)
        {
            return;
        }

        SeriesDefinition[] columns = Columns(input[0], input[1]);
        BlockDecoder decoder = new(columns);
        BlockEncoder encoder = new(columns);
        BlockDecoder again = new(columns);
        ReadOnlySpan<byte> rest = input[2..];
        while (Parts.TryTake(ref rest, out ReadOnlySpan<byte> payload))
        {
            if (decoder.Decode(payload) == BlockError.None)
            {
                Invariant.Holds(again.Decode(encoder.Encode(decoder.Values, decoder.Present)) == BlockError.None, "what was read can be written");
                Invariant.Holds(Same(decoder, again), "writing and reading gives the same values");
            }
        }
    }

    private static bool Same(BlockDecoder one, BlockDecoder other)
    {
        for (int i = 0; i < one.Values.Length; i++)
        {
            bool present = (one.Present[i >> 6] & (1UL << (i & 63))) != 0;
            if (present && BitConverter.DoubleToInt64Bits(one.Values[i]) != BitConverter.DoubleToInt64Bits(other.Values[i]))
            {
                return false;
            }
        }

        return one.Present.SequenceEqual(other.Present);
    }

    private static SeriesDefinition[] Columns(int count, int kinds) =>
    [
        .. Enumerable.Range(0, count).Select(i => new SeriesDefinition(
            "m", ((kinds >> (i & 7)) & 1) == 0 ? MetricKind.Gauge : MetricKind.Counter, "", Scales[(i + kinds) & 3], [])),
    ];

    private static byte[] Seed(byte count, byte kinds)
    {
        BlockEncoder encoder = new(Columns(count, kinds));
        ulong[] present = new ulong[(count + 63) / 64];
        IEnumerable<byte[]> blocks = Enumerable.Range(0, 4).Select(block =>
        {
            for (int i = 0; i < count; i++)
            {
                present[i >> 6] = i % 5 == block ? present[i >> 6] & ~(1UL << (i & 63)) : present[i >> 6] | (1UL << (i & 63));
            }

            return encoder.Encode([.. Enumerable.Range(0, count).Select(i => i % 7 == 6 ? 0.1 * block : (i * 10) + block)], present).ToArray();
        });
        return [count, kinds, .. Parts.Join(blocks)];
    }
}
