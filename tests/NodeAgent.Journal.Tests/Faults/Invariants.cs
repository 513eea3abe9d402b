using NodeAgent.Journal.Reading;

namespace NodeAgent.Journal.Tests.Faults;

/// <summary>What must hold after any fault that did not harm durable bytes.</summary>
internal static class Invariants
{
    /// <summary>
    /// Nothing acknowledged is lost, nothing is invented (<see cref="JournalBench.ReadAll"/>), and what is missing is exactly what was reported.
    /// </summary>
    public static void Hold(JournalBench bench, DurableLog log, ulong acknowledgedId, ulong releasedId)
    {
        RecoveryReport report = log.Recovery;
        List<ulong> ids = bench.ReadAll(log);
        var present = new HashSet<ulong>(ids);
        ulong missing = 0;
        for (ulong id = report.Floor; id < report.NextId; id++)
        {
            if (present.Contains(id)) continue;
            missing++;
            // Unsynced records may go at a power cut while later ones stay. Told once, they are no news at the next opening.
            Assert.True(
                id > acknowledgedId || id <= releasedId || bench.KnownLost.Contains(id),
                $"acknowledged record {id} is lost (acknowledged {acknowledgedId}, released {releasedId})");
        }

        Assert.True(report.NextId > acknowledgedId, $"next id {report.NextId} after {acknowledgedId} was acknowledged");
        Assert.True(report.Floor <= releasedId + 1, $"floor {report.Floor}, released only up to {releasedId}");
        for (ulong id = report.Floor; id < report.NextId; id++)
        {
            if (!present.Contains(id)) bench.KnownLost.Add(id);
        }

        Assert.Equal(missing, report.LostRecords + report.MissingAtHead);
        // Only a disk that fails calls can keep a release from being noted.
        if (bench.Disk.FaultsHit == 0) Assert.Equal(0UL, report.MissingAtHead);
        Assert.True(
            report.MissingAtHead == 0 || report.Floor + report.MissingAtHead <= releasedId + 1,
            "records that nobody released are missing at the head");
        Assert.Equal((ulong)ids.Count(id => id >= report.Floor), report.Records);
    }
}
