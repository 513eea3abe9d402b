using System.Text;
using NodeAgent.Hosting;
using NodeAgent.Hosting.Configuration;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Fuzz.Targets;

/// <summary>Durations and sizes as people write them: what can be read is written so that it reads the same.</summary>
internal sealed class UnitTextTarget : Engine.IFuzzTarget
{
    public string Name => "unit_text";

    public IReadOnlyList<byte[]> Seeds { get; } =
        [.. "500ms 1.5s 0.0000001s 7d 10675199d 2h30m 100y 64MiB 1.5GB 8191PiB 0B 9223372036854775807".Split(' ').Select(Encoding.ASCII.GetBytes)];

    public IReadOnlyList<byte[]> Dictionary { get; } = [.. "us ms s m h d w y KiB kB TiB .5 0000".Split(' ').Select(Encoding.ASCII.GetBytes)];

    public void Run(ReadOnlySpan<byte> input)
    {
        string text = Encoding.UTF8.GetString(input);
        if (DurationText.TryParse(text, out TimeSpan duration))
        {
            string written = DurationText.Format(duration);
            Invariant.Holds(DurationText.TryParse(written, out TimeSpan again) && again == duration, $"{written} is {duration.Ticks} ticks");
            DurationText.FormatRounded(duration);
        }

        if (ByteText.TryParse(text, out long bytes))
        {
            string written = ByteText.Format(bytes);
            Invariant.Holds(ByteText.TryParse(written, out long again) && again == bytes, $"{written} is {bytes} bytes");
        }

        if (QueryDuration.TryParse(text, out long ms))
        {
            string written = QueryDuration.Format(ms);
            Invariant.Holds(QueryDuration.TryParse(written, out long again) && again == ms, $"{written} is {ms} ms");
        }
    }
}
