namespace NodeAgent.Agent;

/// <summary>The version that the agent gives in its hello, its inventory and its help.</summary>
internal static class AgentVersion
{
    internal static string Text { get; } = typeof(AgentVersion).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";
}
