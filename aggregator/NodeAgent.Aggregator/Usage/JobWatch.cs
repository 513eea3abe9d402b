using System.Diagnostics.CodeAnalysis;
using NodeAgent.Aggregator.Placement;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Placement.Engine;

namespace NodeAgent.Aggregator.Usage;

/// <summary>Looks at what placement holds, a few times a minute, and lets the ledger note it. Driven by one thread.</summary>
internal sealed class JobWatch : IDisposable
{
    private const double WholeGpu = 1_000;

    private readonly JobLedger _ledger;
    private readonly PlacementDesk _desk;
    private readonly TimeProvider _time;
    private long? _lookedAt;

    private JobWatch(JobLedger ledger, PlacementDesk desk, TimeProvider time) => (_ledger, _desk, _time) = (ledger, desk, time);

    internal JobLedger Ledger => _ledger;

    /// <summary>Opens the ledger. The desk stays the caller's.</summary>
    internal static bool TryOpen(
        string stateDirectory, IFileOps files, TimeProvider time, PlacementDesk desk, [NotNullWhen(true)] out JobWatch? watch, [NotNullWhen(false)] out OpenError? error)
    {
        watch = JobLedger.TryOpen(JobLedger.OptionsIn(stateDirectory), files, time, out JobLedger? ledger, out error) ? new JobWatch(ledger, desk, time) : null;
        return watch is not null;
    }

    /// <summary>To be called about once a second; looks when it is time.</summary>
    internal void Turn()
    {
        if (_lookedAt is { } last && _time.GetElapsedTime(last) < JobLedger.LookInterval)
        {
            return;
        }

        _lookedAt = _time.GetTimestamp();
        Look();
    }

    /// <summary>Looks now.</summary>
    internal void Look()
    {
        PlacementBooks books = _desk.Books();
        _ledger.Look([.. books.Jobs.Where(job => job.Token.Length == 0 && job.Lost is null).SelectMany(HeldBy)], books.Now.ToUnixTimeMilliseconds());
    }

    public void Dispose() => _ledger.Dispose();

    private IEnumerable<HeldGpus> HeldBy(PlacedJob job) => job.Assignments.Where(part => part.Devices.Count > 0).Select(part => new HeldGpus(
        job.Request.Job, job.Since.ToUnixTimeMilliseconds(), part.Node, _desk.Uuids(part.Node, part.Devices), job.Request.Ask.GpuMilli / WholeGpu));
}
