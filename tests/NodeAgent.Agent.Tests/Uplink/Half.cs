namespace NodeAgent.Agent.Tests.Uplink;

/// <summary>Chance without chance: every wait is exactly half its bound, so a test can name it.</summary>
internal sealed class Half : Random
{
    public override double NextDouble() => 0.5;

    protected override double Sample() => 0.5;
}
