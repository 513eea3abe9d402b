using System.Text;
using NodeAgent.Fuzz.Engine;
using NodeAgent.Sampling.Cgroups;
using NodeAgent.Sampling.Clock;
using NodeAgent.Sampling.Cpu;
using NodeAgent.Sampling.Disk;
using NodeAgent.Sampling.Events;
using NodeAgent.Sampling.Filesystem;
using NodeAgent.Sampling.Inventory;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Memory;
using NodeAgent.Sampling.Network;
using NodeAgent.Sampling.Processes;
using NodeAgent.Sampling.Self;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Fuzz.Targets;

/// <summary>
/// What the kernel prints. The first byte picks the parser by its place in <see cref="Cases"/>; fixtures name it so, hence new ones go
/// to the end.
/// </summary>
internal sealed class KernelTextTarget : IFuzzTarget
{
    private static readonly AttributeReading[] Attributes = [.. Enum.GetValues<AttributeForm>().Select(form => new AttributeReading(form))];

    private static readonly Case[] Cases =
    [
        new(typeof(StatParser), text => StatParser.TryParse(text, perCore: true, new StatReading()), Host("build-vm/proc/stat")),
        new(typeof(MeminfoParser), Lines(line => MeminfoParser.TryParseLine(line, out _)), Host("build-vm/proc/meminfo")),
        new(typeof(KeyValueParser), ReadKeyValues, Host("build-vm/proc/vmstat")),
        new(typeof(SwapParser), ReadSwaps, Host("dual-socket-128-core/proc/swaps")),
        new(typeof(LoadParser), text => LoadParser.TryParse(text, out _), Host("build-vm/proc/loadavg")),
        new(typeof(PressureParser), text => PressureParser.TryParse(text, out _), Host("build-vm/proc/pressure/io")),
        new(typeof(SchedstatParser), text => SchedstatParser.TryParse(text, []), Host("dual-socket-128-core/proc/schedstat")),
        new(typeof(Sampling.Cpu.CpuinfoParser), text => Sampling.Cpu.CpuinfoParser.TryParse(text, []), Host("build-vm/proc/cpuinfo")),
        new(typeof(Sampling.Inventory.CpuinfoParser), Words(text => Sampling.Inventory.CpuinfoParser.Parse(text)), Host("build-vm/proc/cpuinfo")),
        new(typeof(KilobyteParser), Words(text => KilobyteParser.Bytes(text, "MemTotal")), Host("build-vm/proc/meminfo")),
        new(typeof(ProcessStatParser), text => ProcessStatParser.TryParse(text, out _), Host("build-vm/proc/1/stat")),
        new(typeof(FileNrParser), text => FileNrParser.TryParse(text, out _), Host("dual-socket-128-core/proc/sys/fs/file-nr")),
        new(typeof(NumberParser), text => NumberParser.TryParse(text, out _), "4194304\n"u8.ToArray()),
        new(typeof(StatmParser), text => StatmParser.TryParse(text, out _), "5393 1934 1612 1 0 512 0\n"u8.ToArray()),
        new(typeof(CgroupParser), ReadCgroup, "usage_usec 10\nuser_usec 7\nnr_throttled 2\n8:0 rbytes=4 wbytes=5 rios=1\n8:0 Read 4096\nmax\n"u8.ToArray()),
        new(typeof(AttributeParser), ReadAttribute, "400 Gb/sec (4X NDR)\n"u8.ToArray(), "0xffffffffffffffff\n"u8.ToArray(), "-40000\n"u8.ToArray()),
        new(typeof(DiskstatsParser), ReadDisks, "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"u8.ToArray()),
        new(typeof(MountinfoParser), ReadMounts, "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root ro,errors=continue\n"u8.ToArray()),
        new(typeof(NetDevParser), ReadNetDev, " face |bytes\n  eth0:0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"u8.ToArray()),
        new(typeof(SoftnetParser), ReadSoftnet, "00015c73 00000000 00000011 00000000 00000000 0 0 0 0 0 0 0 00000003\n"u8.ToArray()),
        new(typeof(SockstatParser), Lines(ReadSockets), "TCP: inuse 4 orphan 0 tw -1 alloc 5 mem 1\n"u8.ToArray()),
        new(typeof(SnmpParser), ReadSnmp, "Tcp: RtoMin MaxConn\nTcp: 200 -1\nIp6InReceives 7\n"u8.ToArray()),
        new(typeof(KernelRecordParser), ReadKernelRecord, "6,339,5140900,-,caller=T1;NVRM: Xid \\x41 (PCI:0000:3b:00): 79\n SUBSYSTEM=pci\n"u8.ToArray()),
        new(typeof(KernelEventParser), Words(ReadKernelEvent), "NVRM: Xid (PCI:0000:3b:00): 79, pid=1, name=python, GPU has fallen off the bus."u8.ToArray(),
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a,task=python,pid=2,uid=0"u8.ToArray(),
            "Out of memory: Killed process 2211 (python3) total-vm:1kB, anon-rss:2kB, file-rss:3kB"u8.ToArray()),
        new(typeof(CpuListParser), Words(text => CpuListParser.Count(text)), "0-3,8,10-11\n"u8.ToArray()),
        new(typeof(OsReleaseParser), Words(text => OsReleaseParser.PrettyName(text)), "NAME=x\nPRETTY_NAME=\"Ubuntu \\\"24\\\"\"\n"u8.ToArray()),
    ];

    private delegate void Parse(ReadOnlySpan<byte> text);

    public string Name => "kernel_text";

    public IReadOnlyList<byte[]> Seeds { get; } =
        [.. Cases.SelectMany((one, index) => one.Seeds.Select(seed => (byte[])[(byte)index, .. seed]))];

    public IReadOnlyList<byte[]> Dictionary { get; } =
        [.. "18446744073709551616 99999999999999999999 0x -1 \\040 \\777 \\x \\xff 0-4294967295 nan kB : ( ) \" cpu".Split(' ').Select(Encoding.ASCII.GetBytes), "\n\n"u8.ToArray()];

    public IReadOnlyList<Type> Covers { get; } = [.. Cases.Select(one => one.Parser)];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (!input.IsEmpty)
        {
            Cases[input[0] % Cases.Length].Parse(input[1..]);
        }
    }

    private static Parse Words(Action<string> parse) => text => parse(Encoding.UTF8.GetString(text));

    private static Parse Lines(Parse parse) => text =>
    {
        Utf8Cursor cursor = new(text);
        while (cursor.TryReadLine(out ReadOnlySpan<byte> line))
        {
            parse(line);
        }
    };

    private static void ReadKeyValues(ReadOnlySpan<byte> text)
    {
        Utf8Cursor cursor = new(text);
        while (!cursor.IsAtEnd)
        {
            int left = cursor.Rest.Length;
            _ = KeyValueParser.TryReadLine(ref cursor, out _, out _);
            Invariant.Holds(cursor.Rest.Length < left, "every line is passed");
        }
    }

    private static void ReadSwaps(ReadOnlySpan<byte> text)
    {
        Utf8Cursor cursor = new(text);
        while (SwapParser.TryReadLine(ref cursor, out ReadOnlySpan<byte> device, out _, out _))
        {
            SwapParser.Unescape(device);
        }
    }

    private static void ReadCgroup(ReadOnlySpan<byte> text)
    {
        CgroupReading reading = default;
        _ = CgroupParser.TryParseCpuStatV2(text, ref reading);
        _ = CgroupParser.TryParseCpuStatV1(text, ref reading);
        _ = CgroupParser.TryParseCpuacctStat(text, ref reading);
        _ = CgroupParser.TryFindKey(text, "nr_throttled"u8, out _);
        _ = CgroupParser.TryParseLimit(text, out _);
        _ = CgroupParser.TryParseIoStat(text, ref reading);
        _ = CgroupParser.TryParseBlkio(text, out _, out _);
    }

    private static void ReadAttribute(ReadOnlySpan<byte> text)
    {
        foreach (AttributeReading reading in Attributes)
        {
            _ = AttributeParser.TryParse(text, reading, out _);
        }

        _ = AttributeParser.IsNumeric(text);
    }

    private static void ReadDisks(ReadOnlySpan<byte> text) =>
        Lines(line => _ = DiskstatsParser.TryParse(line, out _, stackalloc ulong[DiskstatsParser.MaxCounters], out _))(text);

    private static void ReadMounts(ReadOnlySpan<byte> text) => Lines(line =>
    {
        if (MountinfoParser.TryParse(line, out MountReading mount))
        {
            MountinfoParser.Unescape(mount.MountPoint);
            MountinfoParser.Unescape(mount.Source);
        }
    })(text);

    private static void ReadNetDev(ReadOnlySpan<byte> text) =>
        Lines(line => _ = NetDevParser.Parse(line, out _, stackalloc ulong[NetDevParser.Counters], out _))(text);

    private static void ReadSoftnet(ReadOnlySpan<byte> text) =>
        Lines(line => _ = SoftnetParser.TryParse(line, stackalloc ulong[SoftnetParser.Counters], out _))(text);

    private static void ReadSockets(ReadOnlySpan<byte> text)
    {
        Utf8Cursor line = new(text);
        if (SockstatParser.TryReadProtocol(ref line, out _))
        {
            while (SockstatParser.TryReadPair(ref line, out _, out _, out _))
            {
            }
        }
    }

    private static void ReadSnmp(ReadOnlySpan<byte> text)
    {
        Utf8Cursor cursor = new(text);
        while (SnmpParser.TryReadPair(ref cursor, out ReadOnlySpan<byte> names, out _, out _))
        {
            _ = SnmpParser.TryParseLine(names, out _, out _);
        }
    }

    private static void ReadKernelRecord(ReadOnlySpan<byte> text)
    {
        if (KernelRecordParser.TryParse(text, out KernelRecord record))
        {
            ReadKernelEvent(KernelRecordParser.Text(record.EscapedText));
        }
    }

    private static void ReadKernelEvent(string text)
    {
        _ = KernelEventParser.TryParse(text, out _);
        _ = KernelEventParser.TryParseOomContext(text, out _);
    }

    private static byte[] Host(string path) => File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "fixtures", "hosts", path));

    private sealed record Case(Type Parser, Parse Parse, params byte[][] Seeds);
}
