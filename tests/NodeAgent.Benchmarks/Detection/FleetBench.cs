using System.Text.Json;
using NodeAgent.Detection.Incidents;

namespace NodeAgent.Benchmarks.Detection;

/// <summary>Injected faults of known time and kind: what is found, how soon, in how many incidents, and whether the cause that leads is right.</summary>
internal static class FleetBench
{
    private const int Slack = 240; // seconds after a fault's end in which an incident is still about it: heat and clear times linger

    private static readonly Dictionary<FaultKind, string[]> Expected = new()
    {
        [FaultKind.Straggler] = ["straggler"], [FaultKind.Leak] = ["leak"], [FaultKind.Throttling] = ["throttle"], [FaultKind.EccGrowth] = ["memory"], [FaultKind.LinkDowntrain] = ["pcie"],
        [FaultKind.Hang] = ["hang"], [FaultKind.NoisyNeighbour] = ["neighbour"], [FaultKind.FanFailure] = ["fan"], [FaultKind.SensorFlatLine] = ["sensor"], [FaultKind.ClockStep] = ["clock"],
    };

    internal static int Run(string[] arguments)
    {
        int nodes = Arguments.Number(arguments, "--nodes", 1000);
        int seconds = Arguments.Number(arguments, "--seconds", 1800);
        int perKind = Arguments.Number(arguments, "--faults", 2);
        int seed = Arguments.Number(arguments, "--seed", 1);
        const int Quiet = 900;
        var fleet = new SimulatedFleet(nodes, (ulong)seed);
        List<Fault> faults = fleet.Plan(perKind, seconds, Quiet);
        var ours = new FleetDetectors(fleet, Arguments.Number(arguments, "--series-per-node", 400));
        var thresholds = new ThresholdAlerts(fleet);
        var bits = new KMeansAlerts(fleet, [.. faults.Select(fault => fault.Node).Concat(Enumerable.Range(0, nodes).Where(node => node % 16 == 5)).Distinct().Order()]);
        double started = Placement.ThreadClock.Micros;
        double detecting = 0;
        for (int second = 0; second < seconds; second++)
        {
            fleet.Tick(second, faults);
            double before = Placement.ThreadClock.Micros;
            ours.Tick(second);
            detecting += Placement.ThreadClock.Micros - before;
            thresholds.Tick(second);
            bits.Tick(second);
        }

        Console.WriteLine($"{nodes} nodes, {ours.Series} series, {seconds} s, {faults.Count} faults of {Enum.GetValues<FaultKind>().Length} kinds; the generator has the detector's author: an upper bound");
        Console.WriteLine($"{ours.Samples} samples, {detecting * 1000 / ours.Samples:F0} ns each with rules, peers and incidents; {ours.Findings} findings; whole run {(Placement.ThreadClock.Micros - started) / 1e6:F0} s");
        object summary = Report(fleet, faults, ours, seconds, arguments);
        object fixedThreshold = Alerts("fixed thresholds, one incident a node and metric", thresholds.Incidents, faults);
        object kmeans = Alerts("k-means a metric, a node alarms with a fifth of its bits (sampled nodes)", bits.Incidents, faults);
        Console.WriteLine(JsonSerializer.Serialize(new { bench = "detection fleet", nodes, series = ours.Series, seconds, ns_per_sample = Math.Round(detecting * 1000 / ours.Samples, 1), ours = summary, fixed_thresholds = fixedThreshold, kmeans_bits = kmeans }));
        return 0;
    }

    private static object Report(SimulatedFleet fleet, List<Fault> faults, FleetDetectors ours, int seconds, string[] arguments)
    {
        Incident[] incidents = [.. ours.Book.Live.Concat(ours.Book.Resolved).Where(incident => incident.Causes.Count > 0)];
        var owner = incidents.ToDictionary(incident => incident, incident => faults.FirstOrDefault(fault => About(incident, fault, fleet)));
        var rows = new List<object>();
        var delays = new List<double>();
        int right = 0, found = 0;
        Console.WriteLine($"{"",-16} {"faults",6} {"found",6} {"recall",7} {"precision",9} {"TTD p50 s",10} {"incidents",9} {"cause right",11}");
        foreach (IGrouping<FaultKind, Fault> kind in faults.GroupBy(fault => fault.Kind))
        {
            var mine = kind.Select(fault => (fault, incidents: incidents.Where(incident => owner[incident] == fault).OrderBy(incident => incident.OpenedUnixMs).ToArray())).ToArray();
            var hits = mine.Where(one => one.incidents.Length > 0).ToArray();
            int correct = hits.Count(one => Expected[kind.Key].Contains(CauseMap.ClassOf(one.incidents[0].Causes[0].Cause.Cause)) && one.incidents[0].Causes[0].Cause.Subject.Node == "n" + one.fault.Node);
            int claimed = incidents.Count(incident => Expected[kind.Key].Contains(CauseMap.ClassOf(incident.Causes[0].Cause.Cause)));
            int claimedRight = incidents.Count(incident => Expected[kind.Key].Contains(CauseMap.ClassOf(incident.Causes[0].Cause.Cause)) && owner[incident]?.Kind == kind.Key);
            double[] late = [.. hits.Select(one => Math.Max(((one.incidents[0].OpenedUnixMs - SimulatedFleet.Start) / 1000.0) - one.fault.From, 0))];
            double median = Arguments.Median(late);
            double precision = claimed == 0 ? 0 : (double)claimedRight / claimed;
            double each = hits.Length == 0 ? 0 : (double)mine.Sum(one => one.incidents.Length) / hits.Length;
            delays.AddRange(late);
            right += correct;
            found += hits.Length;
            Console.WriteLine($"{kind.Key,-16} {mine.Length,6} {hits.Length,6} {(double)hits.Length / mine.Length,7:F2} {precision,9:F2} {median,10:F1} {each,9:F2} {correct,8}/{hits.Length}");
            rows.Add(new { kind = kind.Key.ToString(), faults = mine.Length, recall = Math.Round((double)hits.Length / mine.Length, 3), precision = Math.Round(precision, 3), ttd_p50_s = Number(median), incidents_per_fault = Math.Round(each, 2), cause_right = correct });
        }

        foreach (Fault fault in faults.Where(fault => arguments.Contains("--verbose")))
        {
            Console.WriteLine($"  {fault}: " + string.Join("; ", incidents.Where(incident => owner[incident] == fault).Select(incident => $"{(incident.OpenedUnixMs - SimulatedFleet.Start) / 1000}: {incident.Causes[0].Cause.Cause} {incident.Causes[0].Cause.Subject} of {string.Join(",", incident.Findings.Select(finding => finding.Cause).Distinct())}")));
        }

        Incident[] falseOnes = [.. incidents.Where(incident => owner[incident] is null)];
        double perDay = falseOnes.Length / (fleet.Nodes / 1000.0) / (seconds / 86_400.0);
        Console.WriteLine($"found {found}/{faults.Count}, cause right {right}/{found}, incidents a fault {(double)(incidents.Length - falseOnes.Length) / Math.Max(found, 1):F2}, false incidents {falseOnes.Length} ({perDay:F1} per 1,000 nodes and day), suppressed repeats {ours.Book.Suppressed}, set aside {ours.Book.SetAside}");
        foreach (Incident incident in falseOnes.Take(8))
        {
            Console.WriteLine($"  false: {incident.Causes[0].Cause.Subject} {incident.Causes[0].Cause.Cause} {incident.Causes[0].Cause.Text} at {(incident.OpenedUnixMs - SimulatedFleet.Start) / 1000} s, {incident.Findings.Count} findings");
        }

        return new { found, faults = faults.Count, cause_right = right, ttd_p50_s = Number(Arguments.Median(delays)), incidents_per_fault = Math.Round((double)(incidents.Length - falseOnes.Length) / Math.Max(found, 1), 2), false_incidents = falseOnes.Length, false_per_1000_nodes_day = Math.Round(perDay, 1), kinds = rows };
    }

    // JSON has no NaN; -1 stands for "none found".
    private static double Number(double value) => double.IsNaN(value) ? -1 : Math.Round(value, 2);

    private static bool About(Incident incident, Fault fault, SimulatedFleet fleet)
    {
        double opened = (incident.OpenedUnixMs - SimulatedFleet.Start) / 1000.0;
        return opened >= fault.From && opened <= fault.To + Slack && incident.Nodes.Any(node => node == "n" + fault.Node || (fault.Kind == FaultKind.Hang && fleet.JobOf(node, "") == fleet.JobOf("n" + fault.Node, "")));
    }

    private static object Alerts(string name, List<(int Node, string Metric, int Second)> alerts, List<Fault> faults)
    {
        bool About((int Node, string Metric, int Second) alert, Fault fault) => alert.Node == fault.Node && alert.Second >= fault.From && alert.Second <= fault.To + Slack;
        int found = faults.Count(fault => alerts.Exists(alert => About(alert, fault)));
        int mine = alerts.Count(alert => faults.Exists(fault => About(alert, fault)));
        double median = Arguments.Median(faults.Where(fault => alerts.Exists(alert => About(alert, fault))).Select(fault => (double)alerts.Where(alert => About(alert, fault)).Min(alert => alert.Second) - fault.From));
        double precision = alerts.Count == 0 ? 0 : (double)mine / alerts.Count;
        Console.WriteLine($"{name}: found {found}/{faults.Count}, precision {precision:F2}, TTD p50 {median:F0} s, incidents a fault {(double)mine / Math.Max(found, 1):F1}, false incidents {alerts.Count - mine}");
        return new { found, faults = faults.Count, precision = Math.Round(precision, 3), ttd_p50_s = Number(median), incidents_per_fault = Math.Round((double)mine / Math.Max(found, 1), 2), false_incidents = alerts.Count - mine };
    }
}
