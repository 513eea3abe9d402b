namespace NodeAgent.Tsdb.Backup;

/// <summary>Something that a check found.</summary>
/// <param name="File">The file, as an operator can open it; for an encrypted or single-file backup what it contains is named in <paramref name="What"/>.</param>
/// <param name="Offset">Of the first byte that is wrong.</param>
/// <param name="What">In a sentence.</param>
/// <param name="IsDamage">Something is wrong. False: worth knowing, and no harm (an end that a killed process left).</param>
public sealed record StateFinding(string File, long Offset, string What, bool IsDamage)
{
    public override string ToString() => $"{File}:{Offset}: {What}";
}

/// <summary>What a check looked at and found.</summary>
/// <param name="Findings">In the order in which they were found.</param>
/// <param name="Files">Files that were read from front to back.</param>
/// <param name="Bytes">Their bytes.</param>
public sealed record StateReport(IReadOnlyList<StateFinding> Findings, int Files, long Bytes)
{
    /// <summary>Every byte is what was written.</summary>
    public bool IsSound => !Findings.Any(finding => finding.IsDamage);
}
