using System.Text;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Filesystem;

/// <summary>
/// Space and inodes of every mount that holds data. statfs of a network mount whose server is away blocks for as long as the
/// mount's options say, which can be forever: this sampler belongs on a beat of its own.
/// </summary>
internal sealed class FilesystemSampler : ISampler
{
    private const int MaxMounts = 512; // a bound on series; hosts with more have them from containers, which the filter drops

    private readonly KernelFile? _mountinfo;
    private readonly IMountStatistics _statistics;
    private byte[] _lastText = [];
    private Mount[] _mounts = [];
    private SampleStatus _parsed;

    public FilesystemSampler(HostRoots roots)
        : this(roots, new KernelMountStatistics())
    {
    }

    internal FilesystemSampler(HostRoots roots, IMountStatistics statistics)
    {
        // The first process' mounts and not our own: a service manager may give us a view of the host in which everything is read-only.
        _mountinfo = KernelFile.TryOpen(Path.Combine(roots.Proc, "1/mountinfo"), initialBytes: 16 * 1024)
            ?? KernelFile.TryOpen(Path.Combine(roots.Proc, "self/mountinfo"), initialBytes: 16 * 1024);
        _statistics = statistics;
    }

    public string Name => "filesystem";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        ReadOnlySpan<byte> text = _mountinfo is null ? default : _mountinfo.Read();
        if (text.IsEmpty)
        {
            return SampleStatus.NoData;
        }

        if (!text.SequenceEqual(_lastText))
        {
            _lastText = text.ToArray();
            _parsed = Parse(text, _mountinfo!.IsTruncated);
        }

        for (int i = 0; i < _mounts.Length; i++)
        {
            Read(_mounts[i], i * FilesystemMetrics.PerMount.Length);
        }

        return _parsed == SampleStatus.Ok && _mounts.Length == 0 ? SampleStatus.NoData : _parsed;
    }

    private void Read(Mount mount, int column)
    {
        Series.Set(column + 5, mount.IsReadOnly ? 1 : 0);
        if (!_statistics.TryRead(mount.PathWithNul, out StatFs statistics))
        {
            Series.Set(column + 6, 1);
            return;
        }

        Series.Set(column, (double)statistics.Blocks * statistics.BlockSize);
        Series.Set(column + 1, (double)statistics.BlocksFree * statistics.BlockSize);
        Series.Set(column + 2, (double)statistics.BlocksAvailable * statistics.BlockSize);
        Series.Set(column + 3, statistics.Files);
        Series.Set(column + 4, statistics.FilesFree);
        Series.Set(column + 6, 0);
    }

    /// <summary>Takes over a changed mount table; the columns change only where their labels do.</summary>
    private SampleStatus Parse(ReadOnlySpan<byte> text, bool isTruncated)
    {
        SampleStatus status = isTruncated ? SampleStatus.Truncated : SampleStatus.Ok;
        List<Mount> mounts = [];
        HashSet<(string, string, string)> seen = [];
        Utf8Cursor cursor = new(text);
        while (cursor.TryReadLine(out ReadOnlySpan<byte> line))
        {
            if (!MountinfoParser.TryParse(line, out MountReading reading))
            {
                status = SampleStatus.Malformed;
                continue;
            }

            byte[] path = MountinfoParser.Unescape(reading.MountPoint);
            string mountPoint = Encoding.UTF8.GetString(path);
            string type = Encoding.UTF8.GetString(reading.Type);
            string device = Encoding.UTF8.GetString(MountinfoParser.Unescape(reading.Source));
            if (MountFilter.IsExcluded(mountPoint, type) || !seen.Add((device, mountPoint, type)))
            {
                continue;
            }

            if (mounts.Count == MaxMounts)
            {
                status = SampleStatus.Truncated;
                break;
            }

            mounts.Add(new Mount(device, mountPoint, type, [.. path, 0], reading.IsReadOnly));
        }

        bool sameSeries = mounts.Count == _mounts.Length && !mounts.Where((mount, i) => !mount.HasSameLabels(_mounts[i])).Any();
        _mounts = [.. mounts];
        if (!sameSeries)
        {
            RebuildColumns();
        }

        return status;
    }

    private void RebuildColumns()
    {
        Series.Rebuild();
        foreach (Mount mount in _mounts)
        {
            foreach (MetricDefinition metric in FilesystemMetrics.PerMount)
            {
                Series.Add(metric, new Label("device", mount.Device), new Label("mountpoint", mount.MountPoint), new Label("fstype", mount.Type));
            }
        }
    }

    private sealed record Mount(string Device, string MountPoint, string Type, byte[] PathWithNul, bool IsReadOnly)
    {
        public bool HasSameLabels(Mount other) => Device == other.Device && MountPoint == other.MountPoint && Type == other.Type;
    }
}
