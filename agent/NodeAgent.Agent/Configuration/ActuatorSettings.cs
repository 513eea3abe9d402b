using NodeAgent.Commands.Policy;
using NodeAgent.Commands.Local;
using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Agent.Configuration;

/// <summary>The actuator: its socket, which the agent needs to know too, and what only the actuator reads.</summary>
internal sealed class ActuatorSettings
{
    internal string Socket { get; set; } = ActuatorClient.DefaultSocket;

    internal string Policy { get; set; } = PolicyReader.DefaultPath;

    internal string StateDirectory { get; set; } = "/var/lib/nodeagent-actuator";

    internal string AgentUser { get; set; } = "nodeagent";

    internal TimeSpan? IdleExit { get; set; }

    internal static SettingCatalog<ActuatorSettings> Settings { get; } = SettingCatalog.Define<ActuatorSettings>(s => s
        .FilePath("socket", o => o.Socket, (o, v) => o.Socket = v,
            "The local socket on which the actuator is asked. Where there is none, this node takes no commands.")
        .FilePath("policy", o => o.Policy, (o, v) => o.Policy = v,
            "What this node lets itself be told: root's file, that nobody else may write. Without it the actuator does not start.")
        .FilePath("state_directory", o => o.StateDirectory, (o, v) => o.StateDirectory = v,
            "The command journal and this node's id for commands, for the actuator alone. Without its content every command signed before is worth nothing.")
        .Text("agent_user", o => o.AgentUser, (o, v) => o.AgentUser = v,
            "The agent's user, by name or number: it may ask the actuator, beside root and the actuator's own user. One that this host does not have asks nothing.")
        .OptionalDuration("idle_exit", o => o.IdleExit, (o, v) => o.IdleExit = v, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1),
            "The actuator ends when nobody asked for this long and nothing has to be put back. Null: after a minute where the service manager holds "
            + "its socket, else never."));
}
