namespace NodeAgent.Contracts.Sequences;

/// <summary>Sequences from <paramref name="First"/> through <paramref name="Last"/>, both included.</summary>
public readonly record struct SequenceSpan(ulong First, ulong Last)
{
    /// <summary>How many there are; 0 stands for all 2^64.</summary>
    public ulong Count => Last - First + 1;
}
