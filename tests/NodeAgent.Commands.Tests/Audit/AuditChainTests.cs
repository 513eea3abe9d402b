using System.Text;
using NodeAgent.Commands.Audit;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Writing;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Commands.Tests.Audit;

public sealed class AuditChainTests
{
    private const string Folder = "/audit";
    private static readonly Guid Owner = Guid.Parse("0191d0c8-0000-7000-8000-000000000001");
    private readonly SimulatedDisk _disk = new(seed: 7);
    private readonly SimulatedTime _time = new();

    [Fact]
    public void Append_AndOpenAgain_GoesOnWithTheSameChain()
    {
        AuditHead head = Fill(20);
        using AuditChain chain = Open(out List<string> found);
        chain.Append(1, "one more"u8);

        Assert.Equal(20, found.Count);
        Assert.Equal(21u, chain.DurableHead.Index);
        Assert.True(chain.Verify([head, chain.DurableHead]).IsWhole);
    }

    [Fact]
    public void Open_AsAnotherOwner_IsFound()
    {
        Fill(3);
        Assert.True(AuditChain.TryOpen(Guid.NewGuid(), Options(), _disk, _time, (_, _, _) => { }, out AuditChain? chain, out _));
        using (chain) Assert.Equal(AuditFindingKind.NotLinked, chain.Opening.Findings[0].Kind);
    }

    [Fact]
    public void Verify_EachRecordDeleted_IsFound()
    {
        string[] lines = Lines(25, out AuditHead head);
        for (int i = 0; i < lines.Length; i++)
        {
            AuditReport report = Verify([.. lines.Where((_, index) => index != i)], [head]);
            Assert.False(report.IsWhole, $"record {i + 1} was taken out and nobody noticed");
            Assert.Contains(report.Findings, finding => finding.FirstIndex <= (ulong)i + 1 && finding.LastIndex >= (ulong)i + 1);
        }
    }

    [Fact]
    public void Verify_EachByteOfEachLineAltered_IsFound()
    {
        string[] lines = Lines(6, out AuditHead head);
        for (int i = 0; i < lines.Length; i++)
        {
            for (int at = 0; at < lines[i].Length; at++)
            {
                string[] altered = [.. lines];
                char other = altered[i][at] is >= '0' and < '9' ? (char)(altered[i][at] + 1) : altered[i][at] == 'x' ? 'y' : 'x';
                altered[i] = altered[i][..at] + other + altered[i][(at + 1)..];
                Assert.False(Verify(altered, [head]).IsWhole, $"{lines[i]}\n became \n{altered[i]}\n and nobody noticed");
            }
        }
    }

    [Fact]
    public void Verify_TailCutOff_IsFoundByAHeadHeldElsewhereAndByNothingElse()
    {
        string[] lines = Lines(10, out AuditHead head);

        Assert.True(Verify(lines[..7], []).IsWhole);
        AuditFinding finding = Assert.Single(Verify(lines[..7], [head]).Findings);
        Assert.Equal(new AuditFinding(AuditFindingKind.CutOff, 8, 10), finding);
    }

    [Fact]
    public void Verify_HistoryWrittenAnew_DiffersFromAHeldHead()
    {
        Lines(10, out AuditHead held);
        SimulatedDisk other = new(seed: 8);
        Assert.True(AuditChain.TryOpen(Owner, Options(), other, _time, (_, _, _) => { }, out AuditChain? forged, out _));
        for (int i = 0; i < 12; i++) forged.Append(1, Encoding.UTF8.GetBytes($"another story {i}"));

        using (forged)
        {
            Assert.True(forged.Verify().IsWhole);
            Assert.Equal(new AuditFinding(AuditFindingKind.HeadDiffers, 10, 10), Assert.Single(forged.Verify([held]).Findings));
        }
    }

    [Fact]
    public void Verify_TwoRecordsExchanged_IsFound()
    {
        string[] lines = Lines(10, out _);
        (lines[3], lines[4]) = (lines[4], lines[3]);

        Assert.False(Verify(lines, []).IsWhole);
    }

    [Fact]
    public void Open_SegmentDeleted_IsFoundWithoutAnyHead()
    {
        Fill(4000, bytes: 100);
        string[] segments = [.. _disk.Paths.Where(path => path.EndsWith(".segment", StringComparison.Ordinal))];
        Assert.True(segments.Length >= 3, string.Join(' ', _disk.Paths));
        for (int i = 0; i < 2; i++)
        {
            _disk.RemoveFile(segments[i]);
            using AuditChain chain = Open(out _);
            Assert.Contains(chain.Opening.Findings, finding => finding.Kind is AuditFindingKind.Missing or AuditFindingKind.MissingAtFront);
        }
    }

    [Fact]
    public void Release_FreesTheFrontAndTheChainStaysWhole()
    {
        AuditHead head = Fill(4000, bytes: 100);
        using (AuditChain chain = Open(out _))
        {
            long before = chain.DiskBytes;
            Assert.True(chain.Release(3500));
            Assert.True(chain.DiskBytes < before);
        }

        using AuditChain again = Open(out List<string> found);
        Assert.True(found.Count is >= 499 and < 3000, $"{found.Count} records were left");
        Assert.True(again.Opening.IsWhole, string.Join(", ", again.Opening.Findings));
        Assert.True(again.Verify([head, again.DurableHead]).IsWhole);
    }

    [Fact]
    public void Append_WhileTheDiskFails_IsNotDurableAndTheHeadStaysWhereItWas()
    {
        AuditHead before = Fill(3);
        using AuditChain chain = Open(out _);
        _disk.Fault = new DiskFault(DiskFaultKind.Error, _disk.Calls + 1, Errno.InputOutput, int.MaxValue);

        Assert.NotEqual(AuditAppend.Durable, chain.Append(1, "lost"u8));
        Assert.Equal(before, chain.DurableHead);

        _disk.Fault = null;
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(AuditAppend.Durable, chain.Append(1, "kept"u8));
        Assert.True(chain.Verify([before, chain.DurableHead]).IsWhole);
    }

    [Fact]
    public void Head_AsText_IsReadBack()
    {
        AuditHead head = Fill(2);

        Assert.True(AuditHead.TryParse(head.ToString(), out AuditHead? read));
        Assert.Equal(head, read);
        Assert.All(["", ":", "1:", "x:" + head.Hash, "1:" + head.Hash[1..], "1:" + head.Hash + "0"], text => Assert.False(AuditHead.TryParse(text, out _)));
    }

    private static JournalOptions Options() => new() { Directory = Folder, SegmentBytes = 128 * 1024, Commit = CommitPolicy.None };

    private AuditChain Open(out List<string> found)
    {
        List<string> records = [];
        Assert.True(AuditChain.TryOpen(
            Owner, Options(), _disk, _time, (_, _, record) => records.Add(Encoding.UTF8.GetString(record)), out AuditChain? chain, out OpenError? error), error?.Message);
        found = records;
        return chain;
    }

    private AuditHead Fill(int count, int bytes = 0)
    {
        using AuditChain chain = Open(out _);
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(AuditAppend.Durable, chain.Append((byte)(1 + (i % 3)), Encoding.UTF8.GetBytes($"record {i}".PadRight(bytes, '.'))));
        }

        return chain.DurableHead;
    }

    private string[] Lines(int count, out AuditHead head)
    {
        head = Fill(count);
        using AuditChain chain = Open(out _);
        StringWriter text = new();
        chain.Export(text);
        string[] lines = text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(count, lines.Length);
        Assert.True(Verify(lines, [head]).IsWhole);
        return lines;
    }

    private static AuditReport Verify(string[] lines, AuditHead[] heads)
    {
        using StringReader reader = new(string.Join('\n', lines));
        return AuditExport.Verify(reader, Owner, heads);
    }
}
