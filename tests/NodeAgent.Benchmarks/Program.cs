using NodeAgent.Benchmarks.Agent;
using NodeAgent.Benchmarks.Codec;
using NodeAgent.Benchmarks.Gpu;
using NodeAgent.Benchmarks.Rpc;
using NodeAgent.Benchmarks.Tick;

return args switch
{
    ["agent", .. var rest] => await AgentBenchmark.RunAsync(rest),
    ["gpu", .. var rest] => await GpuBenchmark.RunAsync(rest),
    ["rpc", .. var rest] => await RpcBenchmark.RunAsync(rest),
    ["tick", .. var rest] => TickBenchmark.Run(rest),
    ["codec", .. var rest] => CodecBenchmark.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine(
        """
        bench NAME
          agent [--seconds 60] [--warm-up 20]     the published agent over TLS beside node_exporter, both at 1 Hz
          gpu [--seconds 120] [--warm-up 75] [--gpus 8]
                                                  the published agent and its reader on fake GPUs at 1 Hz
          rpc [--streams 2000] [--seconds 30] [--warm-up 140]
                                                  paced streams into the aggregator's memory, then flat out
          tick                                    microseconds and bytes of each sampler on this host
          codec                                   bytes and time of packing and unpacking a 400-column frame
        """);
    return 2;
}
