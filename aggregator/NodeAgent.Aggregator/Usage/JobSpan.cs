namespace NodeAgent.Aggregator.Usage;

/// <summary>What a job holds on one node now.</summary>
/// <param name="Job">Its name.</param>
/// <param name="SinceUnixMs">Since when it has a place, here or elsewhere.</param>
/// <param name="Node">The node.</param>
/// <param name="Uuids">Its GPUs; empty: they are not known, as for the first seconds after a restart.</param>
/// <param name="Share">How much of each, up to 1.</param>
internal sealed record HeldGpus(string Job, long SinceUnixMs, string Node, IReadOnlyList<string> Uuids, double Share);

/// <summary>A job's hold on one GPU over a time.</summary>
/// <param name="Job">Its name.</param>
/// <param name="Node">The GPU's node.</param>
/// <param name="Uuid">The GPU.</param>
/// <param name="FromUnixMs">Since when.</param>
/// <param name="UntilUnixMs">Until when; <see cref="long.MaxValue"/>: it holds it still.</param>
/// <param name="Share">How much of the GPU, up to 1.</param>
internal sealed record JobSpan(string Job, string Node, string Uuid, long FromUnixMs, long UntilUnixMs, double Share)
{
    internal bool IsOpen => UntilUnixMs == long.MaxValue;

    /// <summary>Whether what is held now is this hold, gone on.</summary>
    internal bool IsStill(HeldGpus held) =>
        held.Job == Job && held.Node == Node && held.SinceUnixMs <= FromUnixMs && (held.Uuids.Count == 0 || held.Uuids.Contains(Uuid));

    /// <summary>The part of a time that falls to the job: of the time, and of the GPU.</summary>
    internal double PartOf(long fromUnixMs, long toUnixMs) =>
        Share * Math.Max(0, Math.Min(UntilUnixMs, toUnixMs) - Math.Max(FromUnixMs, fromUnixMs)) / (toUnixMs - fromUnixMs);
}
