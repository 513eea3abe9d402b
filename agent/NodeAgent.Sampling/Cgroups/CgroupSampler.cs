using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Cgroups;

/// <summary>
/// Resources of services, containers, pods and jobs. Columns are built again when groups come or go, which a walk over the
/// directories finds without allocating; the walk itself is made when the kernel's count of groups changed, a group
/// turned out to be gone, or, because a count can stay the same while groups change, at every sixth call.
/// </summary>
internal sealed class CgroupSampler : ISampler, IDisposable
{
    private const int CallsPerWalk = 6;

    private readonly CgroupHierarchy? _hierarchy;
    private readonly CgroupTree? _tree;
    private readonly KernelFile? _counts;
    private readonly KernelBuffer _buffer = new();
    private readonly List<CgroupGroup> _groups = [];
    private readonly int _maxGroups;
    private int _groupsColumn;
    private int _leftOut;
    private int _callsUntilWalk;
    private ulong _lastCounts;
    private ulong _fingerprint;
    private bool _isBuilt;

    /// <param name="roots">Where sysfs is.</param>
    /// <param name="maxGroups">Groups beyond these, the least important first, are left out and counted.</param>
    public CgroupSampler(HostRoots roots, int maxGroups)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxGroups);
        _maxGroups = maxGroups;
        _hierarchy = CgroupHierarchy.Find(roots);
        if (_hierarchy is not null)
        {
            _tree = new CgroupTree(_hierarchy);
            _counts = _hierarchy.IsV2
                ? KernelFile.TryOpen(Path.Combine(_hierarchy.Unified!, "cgroup.stat"), _buffer)
                : KernelFile.TryOpen(Path.Combine(roots.Proc, "cgroups"), _buffer);
        }
    }

    public string Name => "cgroups";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (_tree is null)
        {
            return SampleStatus.NoData;
        }

        if (NeedsWalk())
        {
            Walk();
        }

        bool isWellFormed = true;
        foreach (CgroupGroup group in _groups)
        {
            isWellFormed &= group.Sample(Series);
        }

        Series.Set(_groupsColumn, _groups.Count);
        Series.Set(_groupsColumn + 1, _leftOut);
        return !isWellFormed ? SampleStatus.Malformed : _tree.IsTruncated ? SampleStatus.Truncated : SampleStatus.Ok;
    }

    public void Dispose()
    {
        _groups.ForEach(group => group.Dispose());
        _counts?.Dispose();
    }

    private bool NeedsWalk()
    {
        ulong counts = _counts is not null && _counts.TryRead(out ReadOnlySpan<byte> text) ? CgroupCounts.Digest(text) : 0;
        bool needs = !_isBuilt || counts != _lastCounts || --_callsUntilWalk <= 0;
        _lastCounts = counts;
        foreach (CgroupGroup group in _groups)
        {
            needs |= group.IsGone;
        }

        return needs;
    }

    private void Walk()
    {
        _callsUntilWalk = CallsPerWalk;
        ulong fingerprint = _tree!.Fingerprint();
        if (_isBuilt && fingerprint == _fingerprint)
        {
            return;
        }

        _fingerprint = fingerprint;
        _isBuilt = true;
        Build();
    }

    private void Build()
    {
        _groups.ForEach(group => group.Dispose());
        _groups.Clear();
        Series.Rebuild();
        _groupsColumn = Series.Add(CgroupMetrics.Groups);
        Series.Add(CgroupMetrics.GroupsLeftOut);
        List<(string Path, CgroupIdentity Identity)> found = _tree!.Find();
        _leftOut = Math.Max(0, found.Count - _maxGroups);
        foreach ((string path, CgroupIdentity identity) in found.Take(_maxGroups))
        {
            CgroupGroup group = new(_hierarchy!, path, identity, _buffer);
            group.AddColumns(Series);
            _groups.Add(group);
        }
    }
}

/// <summary>
/// Digest of the kernel's own counts of groups: nr_descendants of cgroup.stat (version 2), or the third column of /proc/cgroups
/// (version 1). Groups that are dying are not counted: they come and go for hours.
/// </summary>
internal static class CgroupCounts
{
    public static ulong Digest(ReadOnlySpan<byte> text)
    {
        ulong digest = 17;
        Utf8Cursor cursor = new(text);
        while (cursor.TryReadLine(out ReadOnlySpan<byte> line))
        {
            Utf8Cursor fields = new(line);
            if (!fields.TryReadField(out ReadOnlySpan<byte> name) || name.StartsWith("nr_dying"u8) || !fields.TryReadUInt64(out ulong first))
            {
                continue;
            }

            digest = (digest * 31) + (fields.TryReadUInt64(out ulong groups) ? groups : first);
        }

        return digest;
    }
}
