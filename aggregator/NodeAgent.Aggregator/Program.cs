using NodeAgent.Aggregator;
using NodeAgent.Aggregator.Configuration;
using NodeAgent.Aggregator.Operations;
using NodeAgent.Hosting.Programs;

// Read once, by the first socket; see AggregatorServer.PreferInline.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

// One socket thread, not one for each processor: what it does for a frame takes microseconds, and it finds more frames at each wake.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT", "1");

string version = typeof(AggregatorServer).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";
if (OfflineArguments.IsMeant(args))
{
    return OfflineProgram.Run(args, version);
}

return await new ServiceProgram<AggregatorOptions>(
    "aggregator", "stores the fleet's telemetry and answers queries", version, "AGGREGATOR_", AggregatorOptions.Settings,
    options => options.Log, AggregatorServer.RunAsync, OfflineArguments.Usage).MainAsync(args);
