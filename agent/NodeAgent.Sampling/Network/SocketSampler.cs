using System.Collections.Frozen;
using System.Text;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Network;

/// <summary>Sockets by protocol.</summary>
internal sealed class SocketSampler : ISampler
{
    private const int NotSampled = -1;
    private const int MaxFields = 256;

    private static readonly FrozenDictionary<string, MetricDefinition> Wanted =
        SocketMetrics.Family.Metrics.Where(metric => metric.Name.StartsWith(SocketMetrics.Prefix, StringComparison.Ordinal))
            .ToFrozenDictionary(metric => metric.Name[SocketMetrics.Prefix.Length..]);

    private readonly KernelFile?[] _files;
    private readonly RowIndex _fields = new(MaxFields);
    private readonly int _pageBytes;

    /// <param name="roots">Where procfs is.</param>
    /// <param name="pageBytes">Size of a memory page in bytes: the kernel counts socket memory in pages.</param>
    public SocketSampler(HostRoots roots, int pageBytes)
    {
        _files = [Open("net/sockstat"), Open("net/sockstat6")];
        _pageBytes = pageBytes;

        KernelFile? Open(string path) => KernelFile.TryOpen(Path.Combine(roots.Proc, path), wholeInOneRead: true); // one record each
    }

    public string Name => "sockets";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (!TryFill(out SampleStatus status))
        {
            Rebuild();
            TryFill(out status);
        }

        return status == SampleStatus.Ok && Series.Count == 0 ? SampleStatus.NoData : status;
    }

    private bool TryFill(out SampleStatus status)
    {
        status = SampleStatus.Ok;
        bool known = true;
        _fields.BeginPass();
        foreach (KernelFile? file in _files)
        {
            Utf8Cursor cursor = new(file is null ? default : file.Read());
            while (cursor.TryReadLine(out ReadOnlySpan<byte> line))
            {
                known &= TryFillLine(line, ref status);
            }
        }

        return known && _fields.SawAll;
    }

    private bool TryFillLine(ReadOnlySpan<byte> line, ref SampleStatus status)
    {
        Utf8Cursor cursor = new(line);
        if (!SockstatParser.TryReadProtocol(ref cursor, out ReadOnlySpan<byte> protocol))
        {
            status = SampleStatus.Malformed;
            return true;
        }

        bool known = true;
        bool isMalformed;
        while (SockstatParser.TryReadPair(ref cursor, out ReadOnlySpan<byte> field, out long value, out isMalformed))
        {
            if (!_fields.TryFind(protocol, field, out int column))
            {
                known = false;
            }
            else if (column != NotSampled)
            {
                Series.Set(column, value);
                if (field.SequenceEqual("mem"u8))
                {
                    Series.Set(column + 1, (double)value * _pageBytes);
                }
            }
        }

        status = isMalformed ? SampleStatus.Malformed : status;
        return known;
    }

    private void Rebuild()
    {
        Series.Rebuild();
        _fields.Clear();
        foreach (KernelFile? file in _files)
        {
            Utf8Cursor cursor = new(file is null ? default : file.Read());
            while (cursor.TryReadLine(out ReadOnlySpan<byte> line))
            {
                AddLine(line);
            }
        }
    }

    private void AddLine(ReadOnlySpan<byte> line)
    {
        Utf8Cursor cursor = new(line);
        if (!SockstatParser.TryReadProtocol(ref cursor, out ReadOnlySpan<byte> protocol))
        {
            return;
        }

        while (SockstatParser.TryReadPair(ref cursor, out ReadOnlySpan<byte> field, out _, out _))
        {
            if (_fields.TryFind(protocol, field, out _))
            {
                continue;
            }

            string name = $"{Encoding.UTF8.GetString(protocol)}_{Encoding.UTF8.GetString(field)}";
            int column = Wanted.TryGetValue(name, out MetricDefinition? metric) ? Series.Add(metric) : NotSampled;
            if (_fields.TryAdd(protocol, field, column) && Wanted.TryGetValue(name + "_bytes", out MetricDefinition? bytes))
            {
                Series.Add(bytes); // right behind its page count: TryFillLine counts on it
            }
        }
    }
}
