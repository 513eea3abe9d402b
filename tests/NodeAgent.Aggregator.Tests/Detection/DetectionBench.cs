using Microsoft.Extensions.Logging;
using NodeAgent.Aggregator.Detection;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Aggregator.Tests.Ingest;
using NodeAgent.Contracts.Series;
using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Requests;
using NodeAgent.Testing;
using NodeAgent.Tsdb;
using NodeAgent.V1;
using Assignment = NodeAgent.Placement.Requests.Assignment;
using ContractKind = NodeAgent.Contracts.Metrics.MetricKind;
using ContractLabel = NodeAgent.Contracts.Series.Label;

namespace NodeAgent.Aggregator.Tests.Detection;

/// <summary>Detection on a real ingest core with simulated clock and disk, without its thread: a test says when it looks.</summary>
internal sealed class DetectionBench : IDisposable
{
    private readonly CapturingLogger _logs = new();
    private readonly DetectionSettings _settings;
    private readonly List<PlacedJob> _jobs = [];

    internal DetectionBench(DetectionSettings? settings = null, TestIngest? ingest = null)
    {
        _settings = settings ?? new DetectionSettings();
        Ingest = ingest ?? new TestIngest();
        Parts = Open();
    }

    internal TestIngest Ingest { get; }

    internal DetectionParts Parts { get; private set; }

    internal IncidentDesk Desk => Parts.Desk;

    internal IEnumerable<string> Events => _logs.Events.Select(happened => happened.Name);

    internal long Now => Ingest.Now.UnixMs;

    internal IReadOnlyList<V1.Incident> Incidents(bool withResolved = false) => Desk.List(_ => true, withResolved, 1000, Now).Incidents;

    /// <summary>A schema of one column a metric; labels in braces as the rules write them.</summary>
    internal SchemaHandle Schema(string node, string sampler, params string[] series) =>
        Ingest.Store.Register(node, sampler, 1000, [.. series.Select(Define)]).Handle!;

    /// <summary>A row now, and a look at it.</summary>
    internal void Row(SchemaHandle schema, params double[] values)
    {
        ulong present = 0;
        for (int at = 0; at < values.Length; at++)
        {
            present |= double.IsNaN(values[at]) ? 0 : 1UL << at;
        }

        Ingest.Fleet.GetOrAdd(schema.Node, Now).LastReceivedUnixMs = Now;
        Ingest.Core.Tap.Follower!.OnRow(schema, Now, values, [present]);
        Parts.Turn();
    }

    /// <summary>Rows for so many seconds.</summary>
    internal void Rows(SchemaHandle schema, int seconds, Func<int, double[]> values)
    {
        for (int second = 0; second < seconds; second++)
        {
            Row(schema, values(second));
            Pass(1);
        }
    }

    internal void Pass(int seconds)
    {
        for (int second = 0; second < seconds; second++)
        {
            Ingest.Time.Advance(TimeSpan.FromSeconds(1));
            Parts.Turn();
        }
    }

    internal void Happen(string node, string kind, Severity severity, params (string Name, string Value)[] attributes)
    {
        Event record = new() { Kind = kind, Severity = severity, WallUnixMs = Now, Message = $"a test of {kind}" };
        record.Attributes.AddRange(attributes.Select(pair => new V1.Label { Name = pair.Name, Value = pair.Value }));
        Ingest.Core.Tap.Follower!.OnEvent(node, record, Now);
        Parts.Turn();
    }

    internal void Place(string job, params (string Node, int Gpu)[] places) => _jobs.Add(new PlacedJob(
        new PlacementRequest(job, new ResourceAsk(0, 0, 1)), [.. places.Select((place, at) => new Assignment(at, place.Node, [place.Gpu]))], DateTimeOffset.UnixEpoch, "", DateTimeOffset.UnixEpoch, null));

    /// <summary>An orderly stop and start, on the same disk.</summary>
    internal void Restart()
    {
        Parts.Dispose();
        Ingest.Restart();
        Parts = Open();
    }

    /// <summary>The process ends without a word.</summary>
    internal void Kill()
    {
        Ingest.Kill();
        Ingest.Start();
        Parts = Open();
    }

    public void Dispose()
    {
        Parts.Dispose();
        Ingest.Dispose();
    }

    private DetectionParts Open()
    {
        DetectionParts? parts = DetectionParts.TryOpen(
            _settings, TestIngest.Directory, Ingest.Disk, Ingest.Time, Ingest.Core, () => _jobs, new DetectionLog(new Logger<DetectionLog>(_logs)), out string problem);
        Assert.True(parts is not null, problem);
        parts.Start(withThread: false);
        return parts;
    }

    private static SeriesDefinition Define(string series)
    {
        int brace = series.IndexOf('{', StringComparison.Ordinal);
        string metric = brace < 0 ? series : series[..brace];
        ContractLabel[] labels = brace < 0 ? [] : [.. series[(brace + 1)..^1].Split(',').Select(pair => pair.Split('=')).Select(pair => new ContractLabel(pair[0], pair[1]))];
        return new SeriesDefinition(metric, metric.EndsWith("_total", StringComparison.Ordinal) ? ContractKind.Counter : ContractKind.Gauge, "", 1, labels);
    }
}
