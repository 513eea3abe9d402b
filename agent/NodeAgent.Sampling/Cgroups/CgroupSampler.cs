using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Cgroups;

/// <summary>
/// Resources of services, containers, pods and jobs. Columns are built again when such groups come or go. A walk over the
/// directories, which allocates nothing while they are the same, is made when the kernel's count of groups changed, a group
/// turned out to be gone, or, because a count can stay the same while groups change, at every sixth call.
/// </summary>
internal sealed class CgroupSampler : ISampler, IDisposable
{
    private const int CallsPerWalk = 6;

    private static readonly Predicate<CgroupGroup> IsGone = group => group.IsGone;

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
        return needs || _groups.Exists(IsGone);
    }

    private void Walk()
    {
        _callsUntilWalk = CallsPerWalk;
        ulong fingerprint = _tree!.Fingerprint();
        bool isAnyGone = _groups.Exists(IsGone);
        if (_isBuilt && fingerprint == _fingerprint && !isAnyGone)
        {
            return;
        }

        _fingerprint = fingerprint;
        List<(string Path, CgroupIdentity Identity)> found = _tree.Find();
        _leftOut = Math.Max(0, found.Count - _maxGroups);
        TakeOver(found);
        _isBuilt = true;
    }

    // Most directories that come and go are of no interest (a job's steps, a container's own groups), and a service that was
    // restarted is the same to people: columns change only when the groups of interest do, because each change costs a schema.
    private void TakeOver(List<(string Path, CgroupIdentity Identity)> found)
    {
        CgroupGroup[] before = [.. _groups];
        Dictionary<string, CgroupGroup> alive = before.Where(group => !group.IsGone)
            .ToDictionary(group => group.Path, StringComparer.Ordinal);
        _groups.Clear();
        foreach ((string path, CgroupIdentity identity) in found.Take(_maxGroups))
        {
            _groups.Add(alive.Remove(path, out CgroupGroup? kept) ? kept : new CgroupGroup(_hierarchy!, path, identity, _buffer));
        }

        if (!TryKeepColumns(before))
        {
            RebuildColumns();
        }

        foreach (CgroupGroup old in before.Except(_groups))
        {
            old.Dispose();
        }
    }

    private bool TryKeepColumns(CgroupGroup[] before)
    {
        if (!_isBuilt || before.Length != _groups.Count)
        {
            return false;
        }

        for (int i = 0; i < before.Length; i++)
        {
            if (!ReferenceEquals(before[i], _groups[i]) && !_groups[i].TryTakeColumns(before[i]))
            {
                return false;
            }
        }

        return true;
    }

    private void RebuildColumns()
    {
        Series.Rebuild();
        _groupsColumn = Series.Add(CgroupMetrics.Groups);
        Series.Add(CgroupMetrics.GroupsLeftOut);
        _groups.ForEach(group => group.AddColumns(Series));
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
            if (!fields.TryReadField(out ReadOnlySpan<byte> name) || name.StartsWith("nr_dying"u8) ||
                !fields.TryReadUInt64(out ulong first))
            {
                continue;
            }

            digest = (digest * 31) + (fields.TryReadUInt64(out ulong groups) ? groups : first);
        }

        return digest;
    }
}
