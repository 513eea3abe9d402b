using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Journal.Tests.Faults;

/// <summary>A scripted life of a journal, once for every file call in it and every way in which that call can fail.</summary>
public sealed class CallFailureTests
{
    public static TheoryData<DiskFaultKind, int, bool> Faults => new()
    {
        { DiskFaultKind.Error, Errno.InputOutput, false },
        { DiskFaultKind.Error, Errno.InputOutput, true },
        { DiskFaultKind.Error, Errno.NoSpace, false },
        { DiskFaultKind.Error, Errno.NoSpace, true },
        { DiskFaultKind.Error, Errno.QuotaExceeded, false },
        { DiskFaultKind.Error, Errno.ReadOnlyFileSystem, true },
        { DiskFaultKind.Error, Errno.Interrupted, false },
        { DiskFaultKind.ShortWrite, 0, false },
        { DiskFaultKind.MisdirectedRead, 0, false },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Life_WithTheKthCallFailing_LosesNothingAcknowledged(DiskFaultKind kind, int errno, bool persistent)
    {
        long calls = Run(new JournalBench(0), null);
        Assert.InRange(calls, 150, 5000);
        for (long k = 1; k <= calls; k++)
        {
            var fault = new DiskFault(kind, k, errno, persistent ? int.MaxValue : 1);
            foreach (bool powerCut in new[] { false, true })
            {
                try
                {
                    Run(new JournalBench((int)k), fault, powerCut);
                }
                catch (Exception error)
                {
                    throw new InvalidOperationException($"replay: {fault}, power cut {powerCut}, seed {k}", error);
                }
            }
        }
    }

    /// <summary>Open, append, rotate, release, close, open, append; then the fault ends and everything must be well.</summary>
    private static long Run(JournalBench bench, DiskFault? fault, bool powerCut = false)
    {
        bench.Options = bench.Options with { Preallocate = bench.Disk.Seed % 2 == 1 };
        bench.Disk.Fault = fault;
        ulong acknowledged = 0;
        ulong released = 0;
        if (TryOpen(bench) is { } first)
        {
            Work(bench, first, ref acknowledged, 6, 30_000);
            released = Math.Min(acknowledged, 9);
            first.ReleaseUpTo(released);
            Work(bench, first, ref acknowledged, 4, 500);
            first.Dispose();
            acknowledged = Math.Max(acknowledged, first.DurableId);
        }

        if (TryOpen(bench) is { } second)
        {
            Work(bench, second, ref acknowledged, 5, 30_000);
            if (!powerCut)
            {
                second.Dispose();
                acknowledged = Math.Max(acknowledged, second.DurableId);
            }
        }

        long calls = bench.Disk.Calls;
        bench.Disk.Fault = null;
        if (powerCut) bench.Disk.CutPower();
        else bench.Disk.KillProcess();

        using DurableLog last = bench.Open();
        Invariants.Hold(bench, last, acknowledged, released);
        Assert.Equal(JournalState.Healthy, last.Status().State);
        bench.AppendMany(last, 3, 2000);
        Assert.Equal(last.Status().NextId - 1, bench.ReadAll(last)[^1]);
        return calls;
    }

    private static DurableLog? TryOpen(JournalBench bench)
    {
        if (DurableLog.TryOpen(bench.Options, bench.Disk, bench.Time, out DurableLog? log, out OpenError? error)) return log;
        Assert.Equal(OpenFailure.Disk, error.Failure);
        Assert.NotNull(error.Cause);

        // A failure that passes must not keep the journal closed.
        if (bench.Disk.Fault is { Calls: 1 }) return bench.Open();
        return null;
    }

    private static void Work(JournalBench bench, DurableLog log, ref ulong acknowledged, int rounds, int payloadBytes)
    {
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < 3; i++) bench.Append(log, payloadBytes + (i * 700));
            if (round % 2 == 1) log.Flush();
            CommitOutcome outcome = log.Commit();
            ulong durable = log.DurableId;
            if (outcome == CommitOutcome.Done) Assert.Equal(log.Status().NextId - 1, durable);
            else Assert.Equal(JournalState.Degraded, log.Status().State);
            if (bench.Disk.Fault is null or { Calls: 1 }) Assert.Equal(CommitOutcome.Done, outcome);
            acknowledged = Math.Max(acknowledged, durable);
            bench.Time.Advance(TimeSpan.FromSeconds(2));
        }
    }
}
