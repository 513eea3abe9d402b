using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Writing;

namespace NodeAgent.Agent.Spool;

/// <summary>The journals of a spool, open: one for each tier, and one for the state.</summary>
internal sealed class SpoolFiles : IDisposable
{
    internal const int Tiers = 3;

    private static readonly string[] s_names = ["full", "10s", "60s"];

    private readonly DurableLog[] _tiers;

    private SpoolFiles(ulong epoch, DurableLog state, DurableLog[] tiers, TierScan[] scans, SpoolState? newest, string? setAside)
    {
        Epoch = epoch;
        State = state;
        _tiers = tiers;
        Scans = scans;
        NewestState = newest;
        SetAside = setAside;
    }

    /// <summary>The first eight bytes of the id of the first tier's journal.</summary>
    internal ulong Epoch { get; }

    internal DurableLog State { get; }

    internal TierScan[] Scans { get; }

    /// <summary>The newest copy that belongs to this epoch; null: there is none.</summary>
    internal SpoolState? NewestState { get; }

    /// <summary>Why an earlier spool was set aside; null: none was.</summary>
    internal string? SetAside { get; }

    internal DurableLog this[int tier] => _tiers[tier];

    internal long DiskBytes
    {
        get
        {
            long bytes = State.DiskBytes;
            foreach (DurableLog tier in _tiers)
            {
                bytes += tier.DiskBytes;
            }

            return bytes;
        }
    }

    /// <summary>Opens, or makes, all of it. What belongs to somebody else or to a later version is set aside.</summary>
    /// <param name="plan">How.</param>
    /// <param name="owner">Hash of the owner.</param>
    /// <param name="adopt">0, or the epoch to go on with: what is found goes aside unless it is of that epoch.</param>
    /// <param name="files">The file calls.</param>
    /// <param name="time">The clock.</param>
    /// <param name="opened">The journals.</param>
    /// <param name="error">Why not.</param>
    internal static bool TryOpen(
        SpoolPlan plan, ulong owner, ulong adopt, IFileOps files, TimeProvider time,
        [NotNullWhen(true)] out SpoolFiles? opened, [NotNullWhen(false)] out OpenError? error)
    {
        opened = null;
        List<DurableLog> logs = [];
        SpoolState? state = null;
        bool isNewer = false;
        JournalOptions stateOptions = new()
        {
            Directory = Path.Combine(plan.Directory, "state"),
            SegmentBytes = 128 * 1024,
            MaxRecordBytes = 64 * 1024,
            MaxPendingBytes = 256 * 1024,
            Commit = CommitPolicy.None,
            Foreign = ForeignSegments.SetAside,
        };
        bool done = TryOpenOne(stateOptions, files, time, record =>
        {
            SpoolState? found = SpoolState.TryRead(record.Payload, out bool later);
            isNewer |= later;
            state = found is not null && (state is null || found.Serial > state.Serial) ? found : state;
        }, logs, out error);

        string? setAside = isNewer ? "a later version of the agent wrote it" : null;
        Guid? wanted = adopt != 0 ? IdOf(adopt, plan) : isNewer ? plan.NewId() : null;
        TierScan[] scans = new TierScan[Tiers];
        for (int tier = 0; done && tier < Tiers; tier++)
        {
            done = TryOpenTier(plan, tier, wanted, files, time, logs, scans, out error);
            if (!done || tier > 0)
            {
                continue;
            }

            Guid found = logs[1].Recovery.JournalId;
            SpoolState? known = Newest(EpochOf(found), state, scans[0].State);
            setAside ??= known is not null && known.Owner != owner ? "it belongs to another agent" : null;
            if (EpochOf(found) == 0 || (known is not null && known.Owner != owner))
            {
                found = adopt != 0 ? IdOf(adopt, plan) : plan.NewId();
                setAside ??= "a later version of the agent wrote it";
                logs[1].Dispose();
                logs.RemoveAt(1);
                done = TryOpenTier(plan, 0, found, files, time, logs, scans, out error);
            }

            wanted = found;
        }

        if (!done)
        {
            logs.ForEach(log => log.Dispose());
            error ??= new OpenError(OpenFailure.Disk, $"spool {plan.Directory} cannot be opened");
            return false;
        }

        ulong epoch = EpochOf(wanted!.Value);
        state = Newest(epoch, state, scans[0].State, scans[1].State, scans[2].State);
        opened = new SpoolFiles(epoch, logs[0], [logs[1], logs[2], logs[3]], scans, state, setAside);
        error = null;
        return true;
    }

    public void Dispose()
    {
        // The state last: its lock is what keeps a second agent out.
        foreach (DurableLog tier in _tiers)
        {
            tier.Dispose();
        }

        State.Dispose();
    }

    private static bool TryOpenTier(
        SpoolPlan plan, int tier, Guid? spool, IFileOps files, TimeProvider time, List<DurableLog> logs, TierScan[] scans, out OpenError? error)
    {
        TierScan scan = scans[tier] = new TierScan(tier);
        JournalOptions options = new()
        {
            Directory = Path.Combine(plan.Directory, s_names[tier]),
            JournalId = spool is { } id ? OfTier(id, tier) : null,
            NewId = plan.NewId,
            SegmentBytes = plan.SegmentBytes,
            MaxPendingBytes = tier == 0 ? 8L << 20 : 4L << 20,
            Commit = CommitPolicy.None,
            Foreign = ForeignSegments.SetAside,
        };
        return TryOpenOne(options, files, time, scan.Add, logs, out error);
    }

    private static bool TryOpenOne(
        JournalOptions options, IFileOps files, TimeProvider time, Journal.Reading.RecordFound found, List<DurableLog> logs, out OpenError? error)
    {
        if (!DurableLog.TryOpen(options, files, time, found, out DurableLog? log, out error))
        {
            return false;
        }

        logs.Add(log);
        return true;
    }

    private static SpoolState? Newest(ulong epoch, params ReadOnlySpan<SpoolState?> copies)
    {
        SpoolState? newest = null;
        foreach (SpoolState? copy in copies)
        {
            newest = copy is not null && copy.Epoch == epoch && (newest is null || copy.Serial > newest.Serial) ? copy : newest;
        }

        return newest;
    }

    private static ulong EpochOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    // Random but for the epoch: the id keys all checksums.
    private static Guid IdOf(ulong epoch, SpoolPlan plan)
    {
        Span<byte> bytes = stackalloc byte[16];
        plan.NewId().TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64BigEndian(bytes, epoch);
        return new Guid(bytes, bigEndian: true);
    }

    private static Guid OfTier(Guid spool, int tier)
    {
        Span<byte> bytes = stackalloc byte[16];
        spool.TryWriteBytes(bytes, bigEndian: true, out _);
        bytes[15] ^= (byte)tier;
        return new Guid(bytes, bigEndian: true);
    }
}
