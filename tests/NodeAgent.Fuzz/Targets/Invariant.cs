namespace NodeAgent.Fuzz.Targets;

/// <summary>What must hold for every input.</summary>
internal static class Invariant
{
    internal static void Holds(bool condition, string broken)
    {
        if (!condition)
        {
            throw new InvalidOperationException($"invariant broken: {broken}");
        }
    }
}
