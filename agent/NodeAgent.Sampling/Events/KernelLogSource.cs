using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Events;

/// <summary>
/// Events from the kernel log: out-of-memory kills, hardware errors, links, file systems, drives, lock-ups, GPU errors. Starts
/// where the cursor says, or with the oldest record of this boot, because what went wrong before the agent started matters most.
/// A tick without news is one system call.
/// </summary>
public sealed class KernelLogSource : IHostEventSource
{
    // The kernel's CONSOLE_EXT_LOG_MAX is 8 KiB: the longest record with its escapes (kernel/printk/printk.c).
    private const int MaxRecordBytes = 8 * 1024;

    // A storm (a flapping link, an XID loop) must not hold up the tick; at 1 Hz this still reads 512 records a second, and the
    // kernel's buffer holds some thousands.
    private const int MaxRecordsPerDrain = 512;

    private readonly IKernelLog _log;
    private readonly Func<long> _monotonicNs;
    private readonly byte[] _buffer = new byte[MaxRecordBytes];
    private readonly string _bootId;
    private ulong _next;
    private bool _hasPosition; // a sequence number is expected: from the cursor, or from the record before
    private bool _wasCaughtUp;
    private long _lastDrainWallMs;
    private IReadOnlyList<Label> _oomContext = [];

    private KernelLogSource(IKernelLog log, string bootId, KernelLogCursor? cursor, Func<long> monotonicNs)
    {
        _log = log;
        _bootId = bootId;
        _monotonicNs = monotonicNs;
        if (cursor is { } from && from.BootId == bootId)
        {
            _next = from.NextSequence;
            _hasPosition = true;
        }
    }

    /// <summary>Opens the kernel log, or returns null where it does not exist or may not be read.</summary>
    /// <param name="bootId">The present boot (/proc/sys/kernel/random/boot_id).</param>
    /// <param name="cursor">Where to go on; null or one of another boot: from the oldest record that is left.</param>
    /// <param name="path">The device.</param>
    public static KernelLogSource? TryOpen(string bootId, KernelLogCursor? cursor = null, string path = "/dev/kmsg")
    {
        DevKmsg log = new(path);
        return log.IsOpen ? new KernelLogSource(log, bootId, cursor, LibC.MonotonicNs) : null;
    }

    /// <summary>For tests: any log, any clock.</summary>
    internal static KernelLogSource Over(IKernelLog log, string bootId, KernelLogCursor? cursor, Func<long> monotonicNs) =>
        new(log, bootId, cursor, monotonicNs);

    public string Name => "kernel_log";

    /// <summary>Where the next call goes on. Persist it together with the events drained so far.</summary>
    public KernelLogCursor Cursor => new(_bootId, _next);

    /// <summary>Records read, whether or not they were events.</summary>
    public long RecordsRead { get; private set; }

    /// <summary>Records that were overwritten before they were read; exact, from the gap in their numbers.</summary>
    public long RecordsLost { get; private set; }

    /// <summary>Records that did not have the expected form or were longer than any the kernel writes.</summary>
    public long RecordsMalformed { get; private set; }

    /// <summary>The log could not be read the last time.</summary>
    public bool HasFailed { get; private set; }

    public void Drain(in SampleTime now, ICollection<HostEvent> into)
    {
        // CLOCK_MONOTONIC, not the tick's clock: it is what the kernel stamps records with.
        long bootWallMs = now.WallUnixMs - (_monotonicNs() / 1_000_000);
        KernelLogRead read = KernelLogRead.Record;
        for (int i = 0; i < MaxRecordsPerDrain; i++)
        {
            read = _log.Read(_buffer, out int length);
            if (read is KernelLogRead.Empty or KernelLogRead.Failed)
            {
                break;
            }

            if (read == KernelLogRead.Record)
            {
                Take(_buffer.AsSpan(0, length), bootWallMs, now, into);
            }
            else if (read == KernelLogRead.TooLong)
            {
                RecordsMalformed++; // its number is missing too, so it also counts as lost
            }
        }

        HasFailed = read == KernelLogRead.Failed;
        _wasCaughtUp = read == KernelLogRead.Empty;
        _lastDrainWallMs = now.WallUnixMs;
    }

    private void Take(ReadOnlySpan<byte> bytes, long bootWallMs, in SampleTime now, ICollection<HostEvent> into)
    {
        if (!KernelRecordParser.TryParse(bytes, out KernelRecord record))
        {
            RecordsMalformed++;
            return;
        }

        if (_hasPosition && record.Sequence < _next)
        {
            return; // covered by the cursor
        }

        if (_hasPosition && record.Sequence > _next)
        {
            into.Add(Lost(record.Sequence - _next, now));
        }

        RecordsRead++;
        _next = record.Sequence + 1;
        _hasPosition = true;
        if (!record.IsFromKernel)
        {
            return;
        }

        string text = KernelRecordParser.Text(record.EscapedText);
        if (KernelEventParser.TryParseOomContext(text, out IReadOnlyList<Label> context))
        {
            _oomContext = context;
        }
        else if (KernelEventParser.TryParse(text, out KernelEvent found))
        {
            long wall = WallTime(bootWallMs + (long)(record.Microseconds / 1000), now);
            IReadOnlyList<Label> attributes = found.Kind == HostEventKind.OomKill ? WithContext(found.Attributes) : found.Attributes;
            into.Add(new HostEvent(found.Kind, found.Severity, text, attributes, wall, _bootId, record.Sequence));
        }
    }

    /// <summary>
    /// The kernel's stamps come from the processor's own counter, which drifts against the disciplined clock by seconds a week.
    /// Once the log has been read to its end, a new record can only be from between the last look and this one.
    /// </summary>
    private long WallTime(long stampedMs, in SampleTime now) =>
        Math.Clamp(stampedMs, Math.Min(_wasCaughtUp ? _lastDrainWallMs : 0, now.WallUnixMs), now.WallUnixMs);

    private HostEvent Lost(ulong count, in SampleTime now)
    {
        RecordsLost += (long)count;
        return new HostEvent(
            HostEventKind.KernelLogLost,
            EventSeverity.Warning,
            $"{count} kernel log records were overwritten before they could be read",
            [new Label("lost", count.ToString())],
            now.WallUnixMs,
            _bootId,
            KernelSequence: null);
    }

    /// <summary>Adds which limit was hit, where the line before spoke of the same process.</summary>
    private IReadOnlyList<Label> WithContext(IReadOnlyList<Label> killed)
    {
        if (!_oomContext.Any(label => label.Name == "pid" && killed.Contains(label)))
        {
            return killed;
        }

        Label[] merged = [.. killed, .. _oomContext.Where(label => !killed.Any(known => known.Name == label.Name))];
        Array.Sort(merged);
        _oomContext = [];
        return merged;
    }
}
