using System.Buffers.Text;
using System.Text;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Agent.Metrics;

/// <summary>
/// The newest readings in Prometheus' text format 0.0.4. Readings belong to the tick's thread, so it is the tick that writes a page, and only
/// when somebody waits for one: an agent that nobody scrapes pays one look at a field a second. A scrape waits for the next tick.
/// </summary>
internal sealed class MetricsPage(ITickSink next) : ITickSink
{
    /// <summary>No page is larger: 20,000 series of 200 bytes. What is beyond is left out and counted in the page itself.</summary>
    private const int MaxBytes = 4 << 20;

    private static readonly Lazy<Dictionary<string, string>> Help = new(() => MetricCatalog.All.ToDictionary(metric => metric.Name, metric => metric.Help));

    private static readonly byte[] LeftOut = Encoding.ASCII.GetBytes("nodeagent_metrics_page_left_out_series ");

    // By sampler, in the order they first came; a slow sampler's table keeps its values between its ticks. The tick's thread.
    private readonly Dictionary<string, SeriesTable> _tables = [];
    private readonly Dictionary<SeriesDefinition, byte[]> _heads = new(ReferenceEqualityComparer.Instance);
    private byte[] _buffer = new byte[64 * 1024];
    private int _length;

    private TaskCompletionSource<byte[]>? _wanted; // taken by exchange

    /// <summary>The page of the next tick. Callers that come before it get the same one.</summary>
    internal Task<byte[]> NextAsync()
    {
        TaskCompletionSource<byte[]> own = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Interlocked.CompareExchange(ref _wanted, own, null) ?? own).Task;
    }

    public void OnTick(in SampleTime now, ReadOnlySpan<SampledTable> tables)
    {
        next.OnTick(now, tables);
        foreach (ref readonly SampledTable table in tables)
        {
            _tables[table.Sampler] = table.Series;
        }

        if (Interlocked.Exchange(ref _wanted, null) is { } wanted)
        {
            wanted.TrySetResult(Write());
        }
    }

    private byte[] Write()
    {
        _length = 0;
        int leftOut = 0;

        // A family's samples must stand together, and several samplers may have a part in one.
        List<(SeriesTable Table, int Column)> columns = [];
        foreach (SeriesTable table in _tables.Values)
        {
            for (int i = 0; i < table.Count; i++)
            {
                if (table.IsPresent(i))
                {
                    columns.Add((table, i));
                }
            }
        }

        columns.Sort(static (left, right) => string.CompareOrdinal(left.Table.Definitions[left.Column].Metric, right.Table.Definitions[right.Column].Metric));
        string family = "";
        foreach ((SeriesTable table, int column) in columns)
        {
            if (_length > MaxBytes)
            {
                leftOut++;
                continue;
            }

            SeriesDefinition definition = table.Definitions[column];
            if (family != definition.Metric)
            {
                family = definition.Metric;
                Append(FamilyHead(definition));
            }

            Append(Head(definition));
            Append(table.Values[column]);
        }

        if (leftOut > 0)
        {
            Append(LeftOut);
            Append(leftOut);
        }

        return _buffer.AsSpan(0, _length).ToArray();
    }

    private static byte[] FamilyHead(SeriesDefinition definition)
    {
        string help = Help.Value.GetValueOrDefault(definition.Metric, "").Replace("\\", "\\\\", StringComparison.Ordinal);
        string type = definition.Kind == MetricKind.Counter ? "counter" : "gauge";
        return Encoding.UTF8.GetBytes($"# HELP {definition.Metric} {help}\n# TYPE {definition.Metric} {type}\n");
    }

    private byte[] Head(SeriesDefinition definition)
    {
        if (!_heads.TryGetValue(definition, out byte[]? head))
        {
            if (_heads.Count > 100_000)
            {
                _heads.Clear(); // devices that come and go for months
            }

            string labels = string.Join(',', definition.Labels.Select(label => $"{label.Name}=\"{Escape(label.Value)}\""));
            _heads[definition] = head = Encoding.UTF8.GetBytes(labels.Length == 0 ? $"{definition.Metric} " : $"{definition.Metric}{{{labels}}} ");
        }

        return head;
    }

    private static string Escape(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private void Append(double value)
    {
        Span<byte> text = stackalloc byte[40];
        if (!Utf8Formatter.TryFormat(value, text, out int written))
        {
            throw new InvalidOperationException($"BUG: {value} is longer than a double can be");
        }

        text[written] = (byte)'\n';
        Append(text[..(written + 1)]);
    }

    private void Append(ReadOnlySpan<byte> text)
    {
        if (_length + text.Length > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + text.Length));
        }

        text.CopyTo(_buffer.AsSpan(_length));
        _length += text.Length;
    }
}
