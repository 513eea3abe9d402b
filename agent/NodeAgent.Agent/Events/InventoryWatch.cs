using NodeAgent.Sampling.Inventory;

namespace NodeAgent.Agent.Events;

/// <summary>
/// Reads the inventory now and then beside the tick, because it opens hundreds of files, and hands it over when it is new.
/// </summary>
internal sealed class InventoryWatch(Func<HostInventory> read, TimeProvider time) : IDisposable
{
    /// <summary>Hardware changes with a reboot or by hand; ten minutes is soon enough for a hot-plugged disk.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    private HostInventory? _known;
    private HostInventory? _change;
    private ITimer? _timer;

    /// <summary>Reads for the first time, at once on a pool thread, and from then on every <see cref="Interval"/>.</summary>
    internal void Start() => _timer = time.CreateTimer(_ => Look(), null, TimeSpan.Zero, Interval);

    /// <summary>The inventory where it is new or changed since the last call, else null.</summary>
    internal HostInventory? TakeChange() => Volatile.Read(ref _change) is null ? null : Interlocked.Exchange(ref _change, null);

    public void Dispose() => _timer?.Dispose();

    internal void Look()
    {
        HostInventory now = read();
        if (!now.Equals(_known))
        {
            _known = now;
            Interlocked.Exchange(ref _change, now);
        }
    }
}
