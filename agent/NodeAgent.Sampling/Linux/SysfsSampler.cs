using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Linux;

/// <summary>
/// A sampler over a class folder of sysfs: its columns are attributes of the devices found there. The folder is looked at now and
/// then (<see cref="DeviceLook"/>); the columns are built again when a device came or went, or when a text that is a label changed.
/// </summary>
internal abstract class SysfsSampler : ISampler
{
    private const int CallsBetweenRetries = 6; // a minute on the usual beat of 10 s

    private readonly DirectoryNames _names;
    private readonly AttributeColumns _columns;
    private readonly DeviceLook _look = new();
    private ulong _seen; // the names at the last look
    private bool _exists; // the folder did, then
    private ulong _builtFor;
    private int _callsSinceBuilt;
    private bool _isBuilt;

    /// <param name="directory">Full path of the class folder.</param>
    protected SysfsSampler(string directory)
    {
        ClassDirectory = directory;
        _names = new DirectoryNames(directory);
        _columns = new AttributeColumns(Series);
    }

    public abstract string Name { get; }

    public SeriesTable Series { get; } = new();

    protected string ClassDirectory { get; }

    public SampleStatus Sample(in SampleTime now)
    {
        if (_look.IsDue(now) || _columns.HasLostDevice)
        {
            _exists = _names.TryRead(out _seen);
        }

        if (!_exists)
        {
            Forget();
            return SampleStatus.NoData;
        }

        // Some drivers answer "no such device" for a part that is merely asleep: that alone rebuilds only now and then.
        bool retryLost = _columns.HasLostDevice && ++_callsSinceBuilt >= CallsBetweenRetries;
        if (!_isBuilt || _columns.IsStale || retryLost || _seen != _builtFor)
        {
            Rebuild();
        }

        if (_columns.Count == 0)
        {
            return EmptyStatus;
        }

        SampleStatus status = _columns.Read();
        if (!_columns.IsStale)
        {
            return status;
        }

        Rebuild();
        return _columns.Count == 0 ? EmptyStatus : _columns.Read();
    }

    /// <summary>What it means that no device has a readable attribute.</summary>
    protected virtual SampleStatus EmptyStatus => SampleStatus.NoData;

    /// <summary>Adds the columns of every device in <see cref="ClassDirectory"/>. Runs when devices change, so it may allocate.</summary>
    protected abstract void Build(AttributeColumns columns);

    private void Rebuild()
    {
        _columns.Clear();
        _callsSinceBuilt = 0;
        _isBuilt = false; // stays so if a device vanishes under Build and it throws: the next call tries again
        Build(_columns);
        _builtFor = _seen;
        _isBuilt = true;
    }

    private void Forget()
    {
        if (_isBuilt)
        {
            _columns.Clear();
            _isBuilt = false;
        }
    }
}
