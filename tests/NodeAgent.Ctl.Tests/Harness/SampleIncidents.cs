using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Harness;

/// <summary>What an incidents service says, with every field in use.</summary>
internal static class SampleIncidents
{
    private const long At = HandTime.StartUnixMs - 300_000;

    public static Incident Throttled(bool withFindings = false)
    {
        Incident incident = new()
        {
            Id = 17, State = IncidentState.Acknowledged, Severity = Severity.Error, Title = "gpu-02/gpu3/gpu_fan_speed_ratio: the fan stands still",
            OpenedUnixMs = At, LastUnixMs = At + 60_000, AcknowledgedBy = "nodeagent://lab/operator/ann", Flaps = 1, Joined = 5,
            Causes =
            {
                new Cause { Finding = Finding("fan-stopped", "gpu_fan_speed_ratio", 0, 0.02, 0), Share = 0.82, Explains = 1 },
                new Cause { Finding = Finding("throttle-thermal", "gpu_throttle_active{reason=hw_thermal}", 60_000, 1, 1), Share = 0.18 },
            },
            Impact = new Impact { Nodes = { "gpu-02" }, Jobs = { "train-7" }, Gpus = 16, GpuHours = 1.3333 },
            Action = "check_cooling", ActionText = "check cooling", Runbook = "docs/runbooks/detection.md#fan-stopped",
        };
        if (withFindings) incident.Findings.AddRange(incident.Causes.Select(cause => cause.Finding));
        return incident;
    }

    public static ListIncidentsResponse List() => new()
    {
        Incidents =
        {
            Throttled(),
            new Incident
            {
                Id = 18, State = IncidentState.Open, Severity = Severity.Critical, Title = "gpu-09/gpu0: XID 79 (GPU has fallen off the bus): restart_machine, says the catalogue", OpenedUnixMs = At + 200_000,
                LastUnixMs = At + 200_000, Joined = 1, Causes = { new Cause { Finding = new Finding { UnixMs = At + 200_000, SinceUnixMs = At + 200_000, Detector = "event", Cause = "xid-79", Node = "gpu-09", Device = "gpu0", Seen = 79, Sureness = 1, Text = "XID 79", Holds = true }, Share = 1 } },
                Impact = new Impact { Nodes = { "gpu-09" }, Gpus = 1, GpuHours = 0.0278 }, Action = "restart_machine", ActionText = "restart the machine", Runbook = "docs/runbooks/detection.md#xid",
            },
        },
        Total = 2,
        WallUnixMs = HandTime.StartUnixMs,
    };

    public static IReadOnlyList<IncidentUpdate> Updates() =>
    [
        new IncidentUpdate { Incident = Throttled(), UnixMs = At },
        new IncidentUpdate { Change = IncidentChange.Opened, Incident = List().Incidents[1], Text = "gpu-09/gpu0: XID 79", UnixMs = At + 200_000 },
        new IncidentUpdate { Change = IncidentChange.Merged, Incident = List().Incidents[1], MergedInto = 17, Text = "no route to it", UnixMs = At + 210_000, Missed = 3 },
    ];

    public static ExplainResponse Explain()
    {
        ExplainResponse answer = new()
        {
            Incident = Throttled(withFindings: true), Why = "A GPU without a fan throttles within minutes.", Strictness = 1.25, WallUnixMs = HandTime.StartUnixMs,
            Evidence =
            {
                new Evidence { Finding = 0, Series = "gpu_fan_speed_ratio{gpu=\"3\",node=\"gpu-02\"}", Unit = "ratio", StartUnixMs = At - 60_000, StepMs = 2_000, ExpectedLow = 0.55, ExpectedHigh = 0.65 },
            },
        };
        answer.Evidence[0].Seen.AddRange(Enumerable.Range(0, 60).Select(at => at < 30 ? 0.6 + (0.04 * Math.Sin(at)) : at == 40 ? double.NaN : 0));
        return answer;
    }

    public static SilenceEntry Silence() => new()
    {
        Id = 4, Node = "gpu-02", Cause = "throttle-thermal", UntilUnixMs = HandTime.StartUnixMs + 3_600_000, Reason = "the fan comes on Tuesday", By = "nodeagent://lab/operator/ann", SetUnixMs = HandTime.StartUnixMs,
    };

    public static DetectResponse Detect() => new()
    {
        Incidents = { Throttled(withFindings: true) }, Findings = { new DetectResponse.Types.KindCount { Cause = "throttle-thermal", Findings = 2, PerSeriesDay = 0.125 } },
        Series = 16, Samples = 57_600, FromUnixMs = At - 3_600_000, ToUnixMs = HandTime.StartUnixMs,
    };

    public static ForecastResponse Forecast()
    {
        SeriesForecast full = new()
        {
            Metric = "node_filesystem_avail_bytes", Labels = { new Label { Name = "mountpoint", Value = "/var" }, new Label { Name = "node", Value = "gpu-02" } }, Unit = "bytes", Last = 8e9, LastUnixMs = HandTime.StartUnixMs,
            PerDay = -4e9, CrossesInMs = 172_800_000, FromMs = 150_000_000, ToMs = double.PositiveInfinity, PastStartUnixMs = HandTime.StartUnixMs - (47 * 3_600_000L), StepMs = 3_600_000, AheadStepMs = 12_600_000,
        };
        full.Past.AddRange(Enumerable.Range(0, 48).Select(hour => 16e9 - (hour * 8e9 / 47)));
        full.Middle.AddRange(Enumerable.Range(1, 48).Select(step => 8e9 - (step * 3.5 / 24 * 4e9)));
        full.Low.AddRange(full.Middle.Select(value => value - 1e9));
        full.High.AddRange(full.Middle.Select(value => value + 1e9));
        return new ForecastResponse
        {
            Series = { full, new SeriesForecast { Metric = "node_filesystem_avail_bytes", Unit = "bytes", Last = 1e12, PerDay = double.NaN, StepMs = 3_600_000, Problem = "less than 28 hours of it are stored" } },
            Total = 2,
            WallUnixMs = HandTime.StartUnixMs,
        };
    }

    public static ForecastCapacityResponse Capacity() => new()
    {
        Rows = { new ForecastCapacityResponse.Types.CapacityRow { Resource = "gpu utilisation", Used = 0.72, Limit = 0.9, Forecast = new SeriesForecast { Unit = "ratio", Last = 0.72, PerDay = 0.01, CrossesInMs = 1.5552e9, FromMs = 1.2e9, ToMs = 2.5e9 } } },
        WallUnixMs = HandTime.StartUnixMs,
    };

    private static Finding Finding(string cause, string metric, long late, double seen, double expected) => new()
    {
        UnixMs = At + late + 8_000, SinceUnixMs = At + late, Detector = "rule", Cause = cause, Node = "gpu-02", Device = "gpu3", Metric = metric, Expected = expected, Seen = seen, Sureness = 1,
        Text = cause == "fan-stopped" ? "the fan stands still" : "heat holds the clocks down", Holds = true,
    };
}
