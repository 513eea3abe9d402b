namespace NodeAgent.Ctl.Doctor;

/// <summary>The result of one check.</summary>
/// <param name="Name">"configuration", "address", "tcp", "tls", "identity", "accepted", "health", "storage" (only where it is wrong), "clock", "nodes"; with an agent on this
/// machine also "agent", "agent-certificate", "disk", "nvml", "policy".</param>
/// <param name="Outcome">ok, warn, fail or skip (a check that it stands on failed).</param>
/// <param name="Detail">What was found.</param>
/// <param name="Fix">What to do. Null unless warn or fail.</param>
internal sealed record CheckItem(string Name, string Outcome, string Detail, string? Fix)
{
    public static CheckItem Ok(string name, string detail) => new(name, "ok", detail, null);

    public static CheckItem Warn(string name, string detail, string fix) => new(name, "warn", detail, fix);

    public static CheckItem Fail(string name, string detail, string fix) => new(name, "fail", detail, fix);

    public static CheckItem Skip(string name, string because) => new(name, "skip", because, null);

    internal bool Failed => Outcome == "fail";
}
