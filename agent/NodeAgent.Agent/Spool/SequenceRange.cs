namespace NodeAgent.Agent.Spool;

/// <summary>Sequences from <paramref name="First"/> through <paramref name="Last"/>, both included.</summary>
internal readonly record struct SequenceRange(ulong First, ulong Last)
{
    internal ulong Count => Last - First + 1;
}
