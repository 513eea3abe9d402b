using NodeAgent.Benchmarks.Agent;
using NodeAgent.Benchmarks.Codec;
using NodeAgent.Benchmarks.Placement;
using NodeAgent.Benchmarks.Rpc;
using NodeAgent.Benchmarks.Tick;

return args switch
{
    ["agent", .. var rest] => await AgentBenchmark.RunAsync(rest),
    ["rpc", .. var rest] => await RpcBenchmark.RunAsync(rest),
    ["tick", .. var rest] => TickBenchmark.Run(rest),
    ["codec", .. var rest] => CodecBenchmark.Run(rest),
    ["placement", .. var rest] => PlacementBenchmark.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine(
        """
        bench NAME
          agent [--seconds 60] [--warm-up 20]     the published agent over TLS beside node_exporter, both at 1 Hz
          rpc [--streams 2000] [--seconds 30] [--warm-up 140]
                                                  paced streams into the aggregator's memory, then flat out
          tick                                    microseconds and bytes of each sampler on this host
          codec                                   bytes and time of packing and unpacking a 400-column frame
          placement PART                          placement policies, plans and solvers; without PART: the parts
        """);
    return 2;
}
