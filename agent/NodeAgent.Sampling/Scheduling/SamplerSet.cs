using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Self;

namespace NodeAgent.Sampling.Scheduling;

/// <summary>
/// The samplers of one agent, put together as they belong: those of the catalogue that are wanted, in its order, and the one that
/// reports on all of them last. Owns them; dispose after the loop has stopped.
/// </summary>
public sealed class SamplerSet : IDisposable
{
    private readonly List<ISampler> _samplers = [];
    private readonly TimeProvider _time;

    /// <param name="entries">Usually <see cref="SamplerCatalog.Linux"/>.</param>
    /// <param name="context">What the samplers need.</param>
    /// <param name="intervalOf">Interval of an entry; null: it does not run. Default: <see cref="DefaultInterval"/>.</param>
    /// <param name="time">Clocks of the loop; on Linux <see cref="BootTimeProvider"/>.</param>
    /// <param name="observer">Told of each sampler's changes of state.</param>
    /// <param name="selfInterval">Interval of the agent's own metrics; default 1 s. What its process costs: always 10 s.</param>
    /// <exception cref="ArgumentOutOfRangeException">An interval is outside its bounds.</exception>
    public SamplerSet(
        IReadOnlyList<SamplerEntry> entries,
        SamplerContext context,
        TimeProvider time,
        Func<SamplerEntry, TimeSpan?>? intervalOf = null,
        ISamplerObserver? observer = null,
        TimeSpan? selfInterval = null)
    {
        _time = time;
        List<SamplerRunner> runners = [];
        foreach (SamplerEntry entry in entries)
        {
            if ((intervalOf ?? DefaultInterval)(entry) is { } interval)
            {
                ISampler sampler = entry.CreateForTick(context);
                _samplers.Add(sampler);
                runners.Add(new SamplerRunner(sampler, interval, time, observer));
            }
        }

        SelfProcessSampler process = new(context.Roots);
        _samplers.Add(process);
        runners.Add(new SamplerRunner(process, TimeSpan.FromSeconds(10), time, observer));
        Self = new SelfSampler([.. runners], Statistics);
        _samplers.Add(Self);
        runners.Add(new SamplerRunner(Self, selfInterval ?? TimeSpan.FromSeconds(1), time, observer));
        Runners = runners;
    }

    /// <summary>In the order they run; the agent's own metrics last.</summary>
    public IReadOnlyList<SamplerRunner> Runners { get; }

    /// <summary>The agent's own metrics, to which other parts add theirs before the first tick.</summary>
    public SelfSampler Self { get; }

    public TickStatistics Statistics { get; } = new();

    /// <summary>The entry's default, or null where it is off by default.</summary>
    public static TimeSpan? DefaultInterval(SamplerEntry entry) => entry.IsEnabledByDefault ? entry.DefaultInterval : null;

    /// <summary>The loop that runs them; one per set.</summary>
    /// <param name="sink">Takes the ticks.</param>
    /// <param name="phase">See <see cref="TickSchedule.PhaseOf"/>.</param>
    public TickLoop MakeLoop(ITickSink sink, TimeSpan phase) => new(Runners, sink, _time, phase, Statistics);

    public void Dispose()
    {
        foreach (ISampler sampler in _samplers)
        {
            (sampler as IDisposable)?.Dispose();
        }
    }
}
