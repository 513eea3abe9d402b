using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Writing;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Aggregator.Usage;

/// <summary>
/// Which job held which GPU when: placement knows only the present, a usage report asks for the past. Compares what it knows with what placement
/// says, a few times a minute, and keeps the differences in a journal; so nothing has to be told at the right moment, and after a crash the
/// next look makes good what was missed. docs/formats/wal.md draws the records.
/// </summary>
internal sealed class JobLedger : IDisposable
{
    /// <summary>Between two looks: a sixth of the shortest step of a report.</summary>
    internal static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);

    private const byte RecordType = 1;
    private const byte Version = 1;
    private const double Milli = 1_000;
    private const int MaxSpans = 200_000; // of the past: a year of a job an hour on twenty GPUs, in 40 MB
    private const long MaxBytes = 64L << 20;

    private readonly DurableLog _log;
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Job, string Node, string Uuid), JobSpan> _open = [];
    private readonly Queue<JobSpan> _past = new();
    private readonly ArrayBufferWriter<byte> _scratch = new();

    private JobLedger(DurableLog log) => _log = log;

    /// <summary>For a backup.</summary>
    internal DurableLog Journal => _log;

    /// <summary>Records that could not be read back, and holds of the past that had to go for room.</summary>
    internal long Lost { get; private set; }

    internal static JournalOptions OptionsIn(string stateDirectory) => new()
    {
        Directory = Path.Combine(stateDirectory, StateRooms.Jobs),
        Commit = CommitPolicy.Interval(TimeSpan.FromSeconds(1), 1 << 20),
        SegmentBytes = 4 << 20,
        MaxBytes = MaxBytes,
    };

    /// <summary>Opens the journal, or makes it, and reads it back.</summary>
    internal static bool TryOpen(
        JournalOptions options, IFileOps files, TimeProvider time, [NotNullWhen(true)] out JobLedger? ledger, [NotNullWhen(false)] out OpenError? error)
    {
        List<JobSpan?> read = [];
        bool isOpen = DurableLog.TryOpen(options, files, time, record => read.Add(Read(record)), out DurableLog? log, out error);
        ledger = isOpen ? new JobLedger(log!) { Lost = (long)log!.Recovery.LostRecords } : null;
        foreach (JobSpan? span in read)
        {
            ledger?.Take(span);
        }

        return isOpen;
    }

    /// <summary>Notes what has begun and ended since the last look.</summary>
    /// <param name="held">What jobs hold now.</param>
    /// <param name="nowUnixMs">When a hold that is gone counts as ended, and one of a job that moved as begun.</param>
    internal void Look(IReadOnlyList<HeldGpus> held, long nowUnixMs)
    {
        lock (_lock)
        {
            ILookup<string, HeldGpus> byJob = held.ToLookup(one => one.Job, StringComparer.Ordinal);
            JobSpan[] before = [.. _open.Values];
            foreach (JobSpan gone in before.Where(span => !byJob[span.Job].Any(span.IsStill)))
            {
                Note(gone with { UntilUnixMs = Math.Max(gone.FromUnixMs, nowUnixMs) });
            }

            ILookup<string, JobSpan> known = before.ToLookup(span => span.Job, StringComparer.Ordinal);
            foreach (HeldGpus one in held)
            {
                // Known elsewhere in the same life: it was moved here just now.
                bool isMoved = known[one.Job].Any(span => span.FromUnixMs >= one.SinceUnixMs);
                foreach (string uuid in one.Uuids.Where(uuid => !_open.ContainsKey((one.Job, one.Node, uuid))))
                {
                    Note(new JobSpan(one.Job, one.Node, uuid, isMoved ? nowUnixMs : one.SinceUnixMs, long.MaxValue, one.Share));
                }
            }
        }
    }

    /// <summary>Holds that touch a time, by GPU.</summary>
    internal ILookup<(string Node, string Uuid), JobSpan> Spans(long fromUnixMs, long toUnixMs)
    {
        lock (_lock)
        {
            return _past.Concat(_open.Values).Where(span => span.FromUnixMs < toUnixMs && span.UntilUnixMs > fromUnixMs)
                .ToArray().ToLookup(span => (span.Node, span.Uuid));
        }
    }

    public void Dispose() => _log.Dispose();

    // A journal that does not take it keeps nobody from work: it is in memory, and a hold that is still open is noted again after a restart.
    private void Note(JobSpan span)
    {
        _scratch.ResetWrittenCount();
        _scratch.Write([Version]);
        WalFields.AddText(_scratch, span.Job);
        WalFields.AddText(_scratch, span.Node);
        WalFields.AddText(_scratch, span.Uuid);
        WalFields.AddZigZag(_scratch, span.FromUnixMs);
        WalFields.AddZigZag(_scratch, span.IsOpen ? 0 : span.UntilUnixMs);
        WalFields.AddVarint(_scratch, (ulong)Math.Round(span.Share * Milli));
        Lost += _log.TryAppend(RecordType, _scratch.WrittenSpan).IsTaken ? 0 : 1;
        Take(span);
    }

    private void Take(JobSpan? span)
    {
        if (span is null)
        {
            Lost++;
            return;
        }

        (string, string, string) place = (span.Job, span.Node, span.Uuid);
        if (span.IsOpen)
        {
            _open[place] = span;
            return;
        }

        _open.Remove(place);
        _past.Enqueue(span);
        if (_past.Count > MaxSpans)
        {
            _past.Dequeue();
            Lost++;
        }
    }

    private static JobSpan? Read(JournalRecord record)
    {
        WalFields fields = new(record.Payload);
        return record.Type == RecordType && fields.TryReadByte(out byte version) && version == Version
            && fields.TryReadText(out string job) && fields.TryReadText(out string node) && fields.TryReadText(out string uuid)
            && fields.TryReadZigZag(out long from) && fields.TryReadZigZag(out long until) && fields.TryReadVarint(out ulong milli)
                ? new JobSpan(job, node, uuid, from, until == 0 ? long.MaxValue : until, milli / Milli)
                : null;
    }
}
