using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Cgroups;
using NodeAgent.Sampling.Clock;
using NodeAgent.Sampling.Cpu;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Memory;
using NodeAgent.Sampling.Processes;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Self;

namespace NodeAgent.Sampling.Tests.Hosts;

/// <summary>
/// Every parser on text that is empty, cut at every byte, changed at every byte, or noise: it never throws, never takes what was cut
/// for well-formed where a value would be wrong, and never grows without bound.
/// </summary>
public sealed class HostileTextTests
{
    /// <summary>A parser as a function from text to "all of it had the known form".</summary>
    private static readonly Dictionary<string, (Func<byte[], bool> Parse, string Sample)> Parsers = new(StringComparer.Ordinal)
    {
        ["stat"] = (text => StatParser.TryParse(text, perCore: true, new StatReading()),
            "cpu  10 0 5 100 1 0 2 0 0 0\ncpu0 10 0 5 100 1 0 2 0 0 0\nintr 55 1 2\nctxt 7\nbtime 1700000000\n" +
            "processes 9\nprocs_running 1\nprocs_blocked 0\nsoftirq 10 1 2 3 4 5 6 7 8 9 10\n"),
        ["loadavg"] = (text => LoadParser.TryParse(text, out _), "0.14 0.05 0.01 1/93 6991\n"),
        ["pressure"] = (text => PressureParser.TryParse(text, out _),
            "some avg10=1.95 avg60=0.83 avg300=0.46 total=8683186\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"),
        ["schedstat"] = (text => SchedstatParser.TryParse(text, []),
            "version 15\ntimestamp 4294\ncpu0 0 0 1 2 3 4 500 600 7\ndomain0 00 1 2\n"),
        ["cpuinfo"] = (text => CpuinfoParser.TryParse(text, []),
            "processor\t: 0\ncpu MHz\t\t: 2596.122\n\nprocessor\t: 1\ncpu MHz\t\t: 800.5\n"),
        ["meminfo"] = (text => new MeminfoColumns(MemoryMetrics.Meminfo).Set(text, new SeriesTable()) == SampleStatus.Ok,
            "MemTotal:       24684092 kB\nActive(anon):       1560 kB\nHugePages_Total:       0\n"),
        ["numa meminfo"] = (text => new MeminfoColumns(MemoryMetrics.NumaMeminfo).Set(text, new SeriesTable()) == SampleStatus.Ok,
            "Node 0 MemTotal:        4024532 kB\nNode 0 HugePages_Total:     0\n"),
        ["vmstat"] = (text => new KeyValueColumns(MemoryMetrics.VmstatMetric).Set(text, new SeriesTable()) == SampleStatus.Ok,
            "pgpgin 2931093\nnr_free_pages 5\noom_kill 0\n"),
        ["swaps"] = (ParseSwaps, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/dm-1 partition\t8388604\t\t1024\t\t-2\n"),
        ["process stat"] = (text => ProcessStatParser.TryParse(text, out _),
            "1 (a) b) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 17 0 24 0 0\n"),
        ["file-nr"] = (text => FileNrParser.TryParse(text, out _), "763\t0\t2466177\n"),
        ["boot id"] = (text => BootId.TryParse(text, out _), "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\n"),
        ["number"] = (text => NumberParser.TryParse(text, out _), "123456\n"),
        ["statm"] = (text => StatmParser.TryParse(text, out _), "5000 1200 800 10 0 900 0\n"),
        ["v2 cpu.stat"] = (text => Reads(text, CgroupParser.TryParseCpuStatV2),
            "usage_usec 12\nuser_usec 8\nsystem_usec 4\nnr_periods 1\nnr_throttled 0\nthrottled_usec 0\n"),
        ["v1 cpu.stat"] = (text => Reads(text, CgroupParser.TryParseCpuStatV1), "nr_periods 1\nnr_throttled 0\nthrottled_time 5\n"),
        ["cpuacct.stat"] = (text => Reads(text, CgroupParser.TryParseCpuacctStat), "user 4\nsystem 5\n"),
        ["memory limit"] = (text => CgroupParser.TryParseLimit(text, out _), "1073741824\n"),
        ["memory.stat"] = (text => CgroupParser.TryFindKey(text, "inactive_file"u8, out _), "anon 1\ninactive_file 77\nfile 3\n"),
        ["io.stat"] = (text => Reads(text, CgroupParser.TryParseIoStat),
            "259:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n8:0 rbytes=1\n"),
        ["blkio"] = (text => CgroupParser.TryParseBlkio(text, out _, out _), "8:0 Read 4096\n8:0 Write 0\n8:0 Total 4096\nTotal 4096\n"),
    };

    private delegate bool CgroupParse(ReadOnlySpan<byte> text, ref CgroupReading reading);

    public static TheoryData<string> Names() => [.. Parsers.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Parse_OfTheKernelsForm_Succeeds(string parser) => Assert.True(Parsers[parser].Parse(Sample(parser)));

    [Theory]
    [MemberData(nameof(Names))]
    public void Parse_CutAtEveryByte_NeverThrows(string parser)
    {
        byte[] text = Sample(parser);
        for (int length = 0; length < text.Length; length++)
        {
            _ = Parsers[parser].Parse(text[..length]);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parse_ChangedAtEveryByte_NeverThrows(string parser)
    {
        byte[] text = Sample(parser);
        for (int i = 0; i < text.Length; i++)
        {
            foreach (byte evil in (byte[])[0, (byte)' ', (byte)'\n', (byte)'-', (byte)'9', (byte)':', (byte)')', 0x80, 0xFF])
            {
                byte[] changed = [.. text];
                changed[i] = evil;
                _ = Parsers[parser].Parse(changed);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parse_OfNoise_NeverThrows(string parser)
    {
        Random random = new(5);
        byte[] text = Sample(parser);
        for (int i = 0; i < 2_000; i++)
        {
            byte[] noise = new byte[random.Next(0, 300)];
            random.NextBytes(noise);
            _ = Parsers[parser].Parse(noise);

            // Also the parser's own words in any order, which get further than noise does.
            byte[] shuffled = [.. text, .. text, .. text];
            random.Shuffle(shuffled);
            _ = Parsers[parser].Parse(shuffled);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parse_OfAMebibyteOfItself_TakesBoundedMemory(string parser)
    {
        byte[] text = Sample(parser);
        byte[] huge = new byte[1024 * 1024];
        for (int i = 0; i < huge.Length; i++)
        {
            huge[i] = text[i % text.Length];
        }

        // Key-value texts grow a column per key they have not seen; a new key in every line is the worst.
        byte[] newKeys = System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 50_000).Select(i => $"key{i} {i}\n")));
        _ = Parsers[parser].Parse(text);
        long before = GC.GetAllocatedBytesForCurrentThread();
        _ = Parsers[parser].Parse(huge);
        _ = Parsers[parser].Parse(newKeys);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 * 1024 * 1024);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parse_OfNumbersTooLarge_NeverThrows(string parser)
    {
        foreach (string number in new[] { "18446744073709551615", "99999999999999999999999" })
        {
            string text = System.Text.RegularExpressions.Regex.Replace(Parsers[parser].Sample, "[0-9]+", number);
            _ = Parsers[parser].Parse(System.Text.Encoding.ASCII.GetBytes(text));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parse_CutWithinALineItReads_IsNotWellFormed(string parser)
    {
        // These say nothing about what follows the last number they read.
        string? lastRead = parser switch
        {
            "loadavg" => "0.14 0.05 0.01 ",
            "process stat" => "1 (a) b) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 17 ",
            "statm" => "5000 1200 ",
            "boot id" => "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            "memory.stat" => "anon 1\ninactive_file 77\n",
            _ => null,
        };
        byte[] text = Sample(parser);
        for (int length = 0; length < (lastRead?.Length ?? text.Length); length++)
        {
            bool isCutWithinALine = length == 0 || text[length - 1] != (byte)'\n';
            if (isCutWithinALine && !(length == 0 && MayBeEmpty.Contains(parser)))
            {
                Assert.False(Parsers[parser].Parse(text[..length]), $"cut after {length} bytes");
            }
        }
    }

    // A group that has done no I/O has empty files.
    private static readonly string[] MayBeEmpty = ["io.stat", "blkio"];

    private static byte[] Sample(string parser) => System.Text.Encoding.ASCII.GetBytes(Parsers[parser].Sample);

    private static bool Reads(byte[] text, CgroupParse parse)
    {
        CgroupReading reading = default;
        return parse(text, ref reading);
    }

    private static bool ParseSwaps(byte[] text)
    {
        Utf8Cursor cursor = new(text);
        cursor.SkipLine();
        int count = 0;
        while (SwapParser.TryReadLine(ref cursor, out ReadOnlySpan<byte> device, out _, out _))
        {
            _ = SwapParser.Unescape(device);
            count++;
        }

        return cursor.IsAtEnd && count > 0;
    }
}
