namespace NodeAgent.Detection.Incidents;

/// <summary>Ranks what would explain an incident: who explains most of the others, was there first, and is known to be a cause at all.</summary>
internal static class CauseRanking
{
    internal static IReadOnlyList<LikelyCause> Rank(IReadOnlyList<Finding> findings, ITopology topology)
    {
        int count = findings.Count;
        bool[,] explains = new bool[count, count];
        for (int cause = 0; cause < count; cause++)
        {
            for (int effect = 0; effect < count; effect++)
            {
                explains[cause, effect] = cause != effect && CauseMap.Explains(findings[cause], findings[effect], topology);
            }
        }

        // By way of others: a fan explains the straggler through the heat. At most 64 findings, so a closure is cheap.
        for (int by = 0; by < count; by++)
        {
            for (int cause = 0; cause < count; cause++)
            {
                for (int effect = 0; effect < count && explains[cause, by]; effect++)
                {
                    explains[cause, effect] |= cause != effect && explains[by, effect];
                }
            }
        }

        long first = findings.Min(finding => finding.SinceUnixMs);
        double[] belief = new double[count];
        int[] reach = new int[count];
        for (int cause = 0; cause < count; cause++)
        {
            int explained = 0, explainedBy = 0;
            for (int other = 0; other < count; other++)
            {
                explained += explains[cause, other] ? 1 : 0;
                explainedBy += explains[other, cause] && !explains[cause, other] ? 1 : 0;
            }

            reach[cause] = explained;
            double late = (findings[cause].SinceUnixMs - first) / 1000.0;
            belief[cause] = Prior(findings[cause]) * findings[cause].Sureness * (1 + explained) / (1 + (3 * explainedBy)) / (1 + (late / 600));
        }

        double total = Math.Max(belief.Sum(), double.Epsilon);
        return [.. Enumerable.Range(0, count).OrderByDescending(at => belief[at]).ThenBy(at => findings[at].SinceUnixMs).Select(at => new LikelyCause(findings[at], belief[at] / total, reach[at])).Take(5)];
    }

    // What can be a cause by its nature; symptoms come last.
    private static double Prior(Finding finding) => CauseMap.ClassOf(finding.Cause) switch
    {
        "domain" => 3,
        "straggler" or "cleanup" => 0.3,
        "stale" or "sensor" or "gpu-recovery" => 0.4,
        "odd" or CauseMap.Unknown => 0.1,
        _ => 1,
    };
}
