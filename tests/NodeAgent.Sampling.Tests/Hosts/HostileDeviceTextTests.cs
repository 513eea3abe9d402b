using System.Text;
using System.Text.RegularExpressions;
using NodeAgent.Sampling.Disk;
using NodeAgent.Sampling.Events;
using NodeAgent.Sampling.Filesystem;
using NodeAgent.Sampling.Inventory;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Network;
using NodeAgent.Sampling.Sensors;

namespace NodeAgent.Sampling.Tests.Hosts;

/// <summary>
/// Every parser of devices, events and inventory on text that is empty, cut at every byte, changed at every byte, or noise: it
/// never throws, and takes no more memory than the text is worth.
/// </summary>
public sealed partial class HostileDeviceTextTests
{
    private const int LongestRecordBytes = 8 * 1024; // the kernel's CONSOLE_EXT_LOG_MAX

    /// <summary>A parser as a function from text to "it had the known form", and a text of that form.</summary>
    private static readonly Dictionary<string, (Func<byte[], bool> Parse, string Sample)> Parsers = new(StringComparer.Ordinal)
    {
        ["diskstats"] = (text => DiskstatsParser.TryParse(text, out _, new ulong[DiskstatsParser.MaxCounters], out _),
            " 259       0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"),
        ["net/dev"] = (text => NetDevParser.Parse(text, out _, new ulong[NetDevParser.Counters], out _) == DeviceLine.Device,
            "  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"),
        ["mountinfo"] = (text => MountinfoParser.TryParse(text, out _), "28 1 259:1 / /a\\040b rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw"),
        ["octal"] = (text => MountinfoParser.Unescape(text).Length <= text.Length, "/a\\040b\\134c\\011"),
        ["snmp"] = (ParsePair, "Tcp: RtoAlgorithm InSegs\nTcp: 1 200\n"),
        ["snmp6"] = (text => SnmpParser.TryParseLine(text, out _, out _), "Ip6InReceives                   \t1061"),
        ["sockstat"] = (ParseSockstat, "TCP: inuse 4 orphan 0 tw 1"),
        ["softnet"] = (text => SoftnetParser.TryParse(text, new ulong[SoftnetParser.Counters], out _),
            "000000e3 00000000 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001"),
        ["integer"] = (text => AttributeParser.TryParse(text, new(), out _), "-62500"),
        ["fraction"] = (text => AttributeParser.TryParse(text, new(AttributeForm.Fraction), out _), "2.5 Gb/sec (1X SDR)"),
        ["hexadecimal"] = (text => AttributeParser.TryParse(text, new(AttributeForm.Hexadecimal), out _), "0x1003"),
        ["operstate"] = (text => AttributeParser.TryParse(text, new(AttributeForm.IsUp), out _), "up"),
        ["kmsg"] = (text => KernelRecordParser.TryParse(text, out KernelRecord record) && KernelRecordParser.Text(record.EscapedText).Length >= 0,
            "6,339,5140900,-;NET: a\\x0ab\n SUBSYSTEM=acpi\n"),
        ["oom context"] = (text => KernelEventParser.TryParseOomContext(Encoding.UTF8.GetString(text), out _),
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=a,mems_allowed=0-1,oom_memcg=/j,task_memcg=/j/s,task=python3,pid=7,uid=0"),
        ["event"] = (text => KernelEventParser.TryParse(Encoding.UTF8.GetString(text), out _),
            "Memory cgroup out of memory: Killed process 7 (python3) total-vm:4kB, anon-rss:3kB, file-rss:2kB, shmem-rss:1kB, UID:0 pgtables:1kB"),
        ["cpuinfo"] = (text => CpuinfoParser.Parse(Encoding.UTF8.GetString(text)).Threads == 1,
            "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon @ 2.50GHz\nphysical id\t: 0\ncore id\t: 0\nflags\t: fpu hypervisor\n"),
        ["os-release"] = (text => OsReleaseParser.PrettyName(Encoding.UTF8.GetString(text)).Length > 0, "PRETTY_NAME=\"Debian 12\"\n"),
        ["kilobytes"] = (text => KilobyteParser.Bytes(Encoding.UTF8.GetString(text), "MemTotal:") > 0, "Node 0 MemTotal:        4024532 kB\n"),
        ["pci"] = (text => PciAddress.Last(Encoding.UTF8.GetString(text)).Length > 0, "/sys/devices/pci0000:00/0000:04:00.0/net/eno1"),
        ["hwmon file"] = (text => HwmonNames.TrySplit(Encoding.UTF8.GetString(text), out _, out _, out _), "temp12_crit_alarm"),
        ["hwmon chip"] = (text => HwmonNames.Clean(Encoding.UTF8.GetString(text)).Length > 0, "CoreTemp.0"),
    };

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
    public void Parse_OfNothing_IsNotTheForm(string parser)
    {
        if (parser != "octal") // an empty name is a name
        {
            Assert.False(Parsers[parser].Parse([]));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parse_ChangedAtEveryByte_NeverThrows(string parser)
    {
        byte[] text = Sample(parser);
        for (int i = 0; i < text.Length; i++)
        {
            foreach (byte evil in (byte[])[0, (byte)' ', (byte)'\n', (byte)'-', (byte)'9', (byte)':', (byte)'\\', (byte)'(', 0x80, 0xFF])
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
        Random random = new(11);
        byte[] text = Sample(parser);
        for (int i = 0; i < 1_000; i++)
        {
            byte[] noise = new byte[random.Next(0, 300)];
            random.NextBytes(noise);
            _ = Parsers[parser].Parse(noise);

            byte[] shuffled = [.. text, .. text];
            random.Shuffle(shuffled);
            _ = Parsers[parser].Parse(shuffled);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parse_OfNumbersTooLarge_NeverThrows(string parser)
    {
        string text = Parsers[parser].Sample;
        _ = Parsers[parser].Parse(Encoding.ASCII.GetBytes(Digits().Replace(text, "18446744073709551615")));
        _ = Parsers[parser].Parse(Encoding.ASCII.GetBytes(Digits().Replace(text, "99999999999999999999999")));
        _ = Parsers[parser].Parse(Encoding.ASCII.GetBytes(Digits().Replace(text, "-1")));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parse_OfTheLongestRecordMadeOfItself_TakesBoundedMemory(string parser)
    {
        byte[] text = Sample(parser);
        byte[] longest = new byte[LongestRecordBytes];
        for (int i = 0; i < longest.Length; i++)
        {
            longest[i] = text[i % text.Length];
        }

        _ = Parsers[parser].Parse(text);
        long before = GC.GetAllocatedBytesForCurrentThread();
        _ = Parsers[parser].Parse(longest);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * LongestRecordBytes);
    }

    private static byte[] Sample(string parser) => Encoding.ASCII.GetBytes(Parsers[parser].Sample);

    private static bool ParsePair(byte[] text)
    {
        Utf8Cursor cursor = new(text);
        bool all = true;
        int pairs = 0;
        while (SnmpParser.TryReadPair(ref cursor, out _, out _, out bool isPair))
        {
            all &= isPair;
            pairs++;
        }

        return all && pairs > 0;
    }

    private static bool ParseSockstat(byte[] text)
    {
        Utf8Cursor cursor = new(text);
        if (!SockstatParser.TryReadProtocol(ref cursor, out _))
        {
            return false;
        }

        bool isMalformed;
        while (SockstatParser.TryReadPair(ref cursor, out _, out _, out isMalformed))
        {
        }

        return !isMalformed;
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Digits();
}
