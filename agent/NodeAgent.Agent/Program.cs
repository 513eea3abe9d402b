using NodeAgent.Agent;
using NodeAgent.Agent.Configuration;
using NodeAgent.Agent.Host;
using NodeAgent.Hosting.Programs;

return await new ServiceProgram<AgentOptions>(
    "nodeagent", "samples this host and streams its telemetry to the aggregator", AgentVersion.Text, "NODEAGENT_", AgentOptions.Settings,
    options => options.Log, AgentService.RunAsync).MainAsync(args);
