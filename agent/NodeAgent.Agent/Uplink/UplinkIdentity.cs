namespace NodeAgent.Agent.Uplink;

/// <summary>What an agent says of itself at the start of every stream.</summary>
internal sealed record UplinkIdentity(string AgentVersion, string BootId);
