using NodeAgent.Agent;
using NodeAgent.Agent.Actuator;
using NodeAgent.Agent.Configuration;
using NodeAgent.Agent.Gpu.Reader;
using NodeAgent.Agent.Host;
using NodeAgent.Agent.Identity;
using NodeAgent.Hosting.Programs;

// First of all: the reader is another process of this binary and needs nothing of what follows.
if (args is [GpuReaderProgram.Verb, .. var readerArguments])
{
    return GpuReaderProgram.Run(readerArguments);
}

if (args is [EnrolProgram.Verb, .. var enrolArguments])
{
    return EnrolProgram.Run(enrolArguments);
}

if (args is [ActuatorProgram.Verb, .. var actuatorArguments])
{
    return await new ServiceProgram<AgentOptions>(
        "nodeagent", "carries out commands on this host", AgentVersion.Text, "NODEAGENT_", AgentOptions.Settings,
        options => options.Log, ActuatorProgram.RunAsync).MainAsync(["run", .. actuatorArguments]);
}

// Read once, by the first socket: completions run where the kernel's event is taken, which spares a thread switch for every packet.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT", "1");

return await new ServiceProgram<AgentOptions>(
    "nodeagent", "samples this host and streams its telemetry to the aggregator", AgentVersion.Text, "NODEAGENT_", AgentOptions.Settings,
    options => options.Log, AgentService.RunAsync, $"{EnrolProgram.Usage}\n{ActuatorProgram.Usage}").MainAsync(args);
