using NodeAgent.Aggregator;
using NodeAgent.Aggregator.Configuration;
using NodeAgent.Hosting.Programs;

string version = typeof(AggregatorServer).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";
return await new ServiceProgram<AggregatorOptions>(
    "aggregator", "stores the fleet's telemetry and answers queries", version, "AGGREGATOR_", AggregatorOptions.Settings,
    options => options.Log, AggregatorServer.RunAsync).MainAsync(args);
