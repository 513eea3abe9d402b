namespace NodeAgent.Commands.Audit;

/// <summary>What is wrong with a chain.</summary>
public enum AuditFindingKind
{
    /// <summary>A record does not have the hash it says.</summary>
    Altered = 0,

    /// <summary>A record does not follow from the one before it: one of them was put there by somebody else.</summary>
    NotLinked = 1,

    /// <summary>Records between two others are gone.</summary>
    Missing = 2,

    /// <summary>The first records are gone, and nothing says that they were released.</summary>
    MissingAtFront = 3,

    /// <summary>A head held elsewhere is behind the end: the last records were cut off.</summary>
    CutOff = 4,

    /// <summary>A head held elsewhere has another hash: the history was written anew.</summary>
    HeadDiffers = 5,

    /// <summary>A record too short to be one, or a release that cannot be.</summary>
    Unreadable = 6,
}

/// <param name="Kind">What is wrong.</param>
/// <param name="FirstIndex">The first record it is about.</param>
/// <param name="LastIndex">The last one; the same for a single record.</param>
public sealed record AuditFinding(AuditFindingKind Kind, ulong FirstIndex, ulong LastIndex)
{
    public override string ToString() => FirstIndex == LastIndex ? $"{Kind} {FirstIndex}" : $"{Kind} {FirstIndex} to {LastIndex}";
}

/// <summary>What a walk along a chain found.</summary>
/// <param name="Records">Records seen.</param>
/// <param name="FirstIndex">The oldest one; 0: there is none.</param>
/// <param name="Head">The end.</param>
/// <param name="Findings">What is wrong, in order; empty: every record is what it was, as far as the heads held elsewhere reach.</param>
/// <param name="NotListed">Further findings, counted only.</param>
public sealed record AuditReport(ulong Records, ulong FirstIndex, AuditHead Head, IReadOnlyList<AuditFinding> Findings, long NotListed)
{
    public bool IsWhole => Findings.Count == 0;
}
