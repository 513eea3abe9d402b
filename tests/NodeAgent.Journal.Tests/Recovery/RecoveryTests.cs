using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Segments;

namespace NodeAgent.Journal.Tests.Recovery;

/// <summary>Openings of directories to which somebody or something did a particular thing.</summary>
public sealed class RecoveryTests
{
    private const int Records = 400;

    private readonly JournalBench _bench = new(11);

    [Fact]
    public void Open_WithTheLastRecordTornAtAnyByte_KeepsAllOthersAndCountsTheRest()
    {
        DurableLog killed = _bench.Open();
        _bench.AppendMany(killed, 3, 700);
        _bench.AppendMany(killed, 1, 120);
        _bench.Disk.KillProcess();

        string path = Assert.Single(_bench.Segments());
        byte[] whole = _bench.Disk.ReadFile(path);
        const int LastBytes = 120 + SegmentFormat.FragmentHeaderBytes;
        for (int cut = 1; cut <= LastBytes; cut++)
        {
            var torn = new JournalBench(cut) { Options = _bench.Options };
            foreach ((ulong id, (byte, byte[]) record) in _bench.Taken) torn.Taken[id] = record;
            torn.Disk.PutFile(path, whole.AsSpan(0, whole.Length - cut));
            using DurableLog log = torn.Open();
            Assert.Equal([1UL, 2UL, 3UL], torn.ReadAll(log));
            // Of bytes that ended in zeros nobody can tell how many there were.
            Assert.InRange(log.Recovery.TornBytes, Math.Max(0, LastBytes - cut - 2), LastBytes - cut);
            Assert.Equal(0UL, log.Recovery.LostRecords);
            Assert.Equal(whole.Length - LastBytes, torn.Disk.ReadFile(path).Length);
            torn.AppendMany(log, 1, 50);
            Assert.Equal([1UL, 2UL, 3UL, 4UL], torn.ReadAll(log));
        }
    }

    [Fact]
    public void Open_WithReservedZerosBehindTheEnd_FindsNothingTorn()
    {
        _bench.Options = _bench.Options with { Preallocate = true };
        DurableLog log = _bench.Open();
        _bench.AppendMany(log, 20, 900);
        Assert.Equal(_bench.Options.SegmentBytes, _bench.Disk.ReadFile(_bench.Segments()[0]).Length);
        _bench.Disk.KillProcess();

        using DurableLog again = _bench.Open();
        Assert.Equal(20, _bench.ReadAll(again).Count);
        Assert.Equal(0L, again.Recovery.TornBytes);
        Assert.Empty(again.Recovery.Damages);
    }

    [Fact]
    public void Open_WithAMiddleSegmentMissing_ReportsItsRecordsByNumber()
    {
        Fill();
        List<string> segments = _bench.Segments();
        _bench.Disk.RemoveFile(segments[1]);

        using DurableLog log = _bench.Open();
        Damage damage = Assert.Single(log.Recovery.Damages);
        Assert.Equal(DamageKind.MissingRecords, damage.Kind);
        List<ulong> ids = _bench.ReadAll(log);
        Assert.Equal((ulong)(Records - ids.Count), log.Recovery.LostRecords);
        Assert.Equal(damage.LostRecords, log.Recovery.LostRecords);
        Assert.DoesNotContain(damage.FirstLostId, ids);
        Assert.Contains(damage.FirstLostId - 1, ids);
    }

    [Fact]
    public void Open_WithTheOldestSegmentMissing_SaysThatTheHeadIsGone()
    {
        Fill();
        _bench.Disk.RemoveFile(_bench.Segments()[0]);
        using (DurableLog log = _bench.Open())
        {
            List<ulong> ids = _bench.ReadAll(log);
            Assert.Equal(ids[0] - 1, log.Recovery.MissingAtHead);
            Assert.Equal(0UL, log.Recovery.LostRecords);
            _bench.AppendMany(log, 1, 10);
        }

        // Told once.
        using DurableLog again = _bench.Open();
        Assert.Equal(0UL, again.Recovery.MissingAtHead);
    }

    [Fact]
    public void Open_WithSwappedAndRenamedSegments_GoesByWhatIsInThem()
    {
        Fill();
        List<string> segments = _bench.Segments();
        byte[] first = _bench.Disk.ReadFile(segments[0]);
        byte[] second = _bench.Disk.ReadFile(segments[1]);
        byte[] third = _bench.Disk.ReadFile(segments[2]);
        _bench.Disk.PutFile(segments[0], second);
        _bench.Disk.PutFile(segments[1], first);
        _bench.Disk.RemoveFile(segments[2]);
        _bench.Disk.PutFile($"{JournalBench.Directory}/00000000000000ff.segment", third);

        using DurableLog log = _bench.Open();
        Assert.Equal(Records, _bench.ReadAll(log).Count);
        Assert.Equal(0UL, log.Recovery.LostRecords);
        _bench.AppendMany(log, 1, 10);
        Assert.Contains(_bench.Segments(), path => path.Contains("0000000000000100", StringComparison.Ordinal));
    }

    [Fact]
    public void Open_WithADuplicateSegment_ReadsItOnceAndSetsTheOtherAside()
    {
        Fill();
        List<string> segments = _bench.Segments();
        _bench.Disk.PutFile($"{JournalBench.Directory}/00000000000000ff.segment", _bench.Disk.ReadFile(segments[1]));
        using DurableLog log = _bench.Open();
        Assert.Equal(Records, _bench.ReadAll(log).Count);
        Assert.Equal(["00000000000000ff.segment.duplicate"], log.Recovery.Quarantined);
    }

    [Fact]
    public void Open_OfAnotherJournalsSegments_IsRefusedOrSetsThemAside()
    {
        Fill();
        JournalOptions other = _bench.Options with { JournalId = Guid.NewGuid() };
        Assert.False(DurableLog.TryOpen(other, _bench.Disk, _bench.Time, out _, out OpenError? error));
        Assert.Equal(OpenFailure.Foreign, error.Failure);

        int segments = _bench.Segments().Count;
        _bench.Options = other with { Foreign = ForeignSegments.SetAside };
        _bench.Taken.Clear();
        using DurableLog log = _bench.Open();
        Assert.Equal(segments, log.Recovery.Quarantined.Count);
        Assert.Equal(1UL, log.Status().NextId);
        _bench.AppendMany(log, 3, 10);
        Assert.Equal(3, _bench.ReadAll(log).Count);
    }

    [Fact]
    public void Open_OfALaterVersion_IsRefused()
    {
        Fill();
        string path = _bench.Segments()[0];
        byte[] bytes = _bench.Disk.ReadFile(path);
        bytes[8] = 2;
        BitConverter.TryWriteBytes(bytes.AsSpan(60), NodeAgent.Journal.Checksums.Crc32C.Compute(bytes.AsSpan(0, 60)));
        _bench.Disk.PutFile(path, bytes);
        Assert.False(DurableLog.TryOpen(_bench.Options, _bench.Disk, _bench.Time, out _, out OpenError? error));
        Assert.Equal(OpenFailure.NewerVersion, error.Failure);
    }

    [Fact]
    public void Open_WithZeroLengthAndGarbageFiles_SetsThemAside()
    {
        Fill();
        _bench.Disk.PutFile($"{JournalBench.Directory}/00000000000000aa.segment", []);
        _bench.Disk.PutFile($"{JournalBench.Directory}/00000000000000ab.segment", "not a segment"u8);
        _bench.Disk.PutFile($"{JournalBench.Directory}/nonsense.segment", new byte[70_000]);
        _bench.Disk.PutFile($"{JournalBench.Directory}/README", "hands off"u8);
        using DurableLog log = _bench.Open();
        Assert.Equal(Records, _bench.ReadAll(log).Count);
        Assert.Equal(["00000000000000ab.segment.nameless", "nonsense.segment.nameless"], log.Recovery.Quarantined);
        Assert.Contains($"{JournalBench.Directory}/README", _bench.Disk.Paths);
        Assert.Equal(0UL, log.Recovery.LostRecords);
    }

    [Fact]
    public void Open_WithDamage_KeepsTheBytesInQuarantine()
    {
        Fill();
        string path = _bench.Segments()[0];
        _bench.Disk.FlipBit(path, 1000, 3);
        using DurableLog log = _bench.Open();
        Damage damage = Assert.Single(log.Recovery.Damages);
        Assert.Equal(DamageKind.CorruptBytes, damage.Kind);
        Assert.InRange(1000, damage.Offset, damage.Offset + damage.Bytes - 1);
        Assert.Equal(1UL, damage.LostRecords);
        string kept = $"{JournalBench.Directory}/quarantine/{Assert.Single(log.Recovery.Quarantined)}";
        Assert.Equal(_bench.Disk.ReadFile(path).AsSpan((int)damage.Offset, (int)damage.Bytes).ToArray(), _bench.Disk.ReadFile(kept));
    }

    [Fact]
    public void TryRead_OnARunningJournal_PassesDamageAndTellsTheGap()
    {
        using DurableLog log = _bench.Open();
        _bench.AppendMany(log, 50, 900);
        _bench.Disk.FlipBit(_bench.Segments()[0], 64 + (20 * 910) + 30, 0);
        using JournalReader reader = log.OpenReader(1);
        ulong gap = 0;
        while (reader.TryRead(out JournalRecord record)) gap += record.LostBefore * record.Id;
        Assert.Equal(22UL, gap);
        Assert.Equal(1UL, reader.LostRecords);
    }

    [Fact]
    public void TryRead_WhileTheDiskDoesNotRead_WaitsOrSkipsAsTold()
    {
        using DurableLog log = _bench.Open();
        _bench.AppendMany(log, Records, 900);
        using JournalReader reader = log.OpenReader(1);
        _bench.Disk.Fault = new Testing.Disk.DiskFault(Testing.Disk.DiskFaultKind.Error, _bench.Disk.Calls + 4, Errno.InputOutput, int.MaxValue);
        List<ulong> read = _bench.ReadOn(reader);
        Assert.InRange(read.Count, 1, Records - 1);
        Assert.Equal(Errno.InputOutput, reader.Error!.Errno);
        Assert.Empty(_bench.ReadOn(reader));
        Assert.Equal(0UL, reader.LostRecords);

        reader.SkipUnreadable();
        Assert.False(reader.TryRead(out _));
        _bench.Disk.Fault = null;
        read.AddRange(_bench.ReadOn(reader));
        Assert.Null(reader.Error);
        Assert.Equal((ulong)(Records - read.Count), reader.LostRecords);
        Assert.InRange(reader.LostRecords, 1UL, 73UL);
    }

    private void Fill()
    {
        using DurableLog log = _bench.Open();
        _bench.AppendMany(log, Records, 900);
    }
}
