using NodeAgent.Benchmarks.Agent;
using NodeAgent.Benchmarks.Codec;
using NodeAgent.Benchmarks.Commands;
using NodeAgent.Benchmarks.Detection;
using NodeAgent.Benchmarks.Placement;
using NodeAgent.Benchmarks.Gpu;
using NodeAgent.Benchmarks.Rpc;
using NodeAgent.Benchmarks.Spool;
using NodeAgent.Benchmarks.Store;
using NodeAgent.Benchmarks.Tick;

return args switch
{
    ["agent", .. var rest] => await AgentBenchmark.RunAsync(rest),
    ["gpu", .. var rest] => await GpuBenchmark.RunAsync(rest),
    ["rpc", .. var rest] => await RpcBenchmark.RunAsync(rest),
    ["tick", .. var rest] => TickBenchmark.Run(rest),
    ["store", .. var rest] => await StoreBenchmark.RunAsync(rest),
    ["command", .. var rest] => await CommandBenchmark.RunAsync(rest),
    ["codec", .. var rest] => CodecBenchmark.Run(rest),
    ["spool", .. var rest] => SpoolBenchmark.Run(rest),
    ["placement", .. var rest] => PlacementBenchmark.Run(rest),
    ["detection", .. var rest] => DetectionBenchmark.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine(
        """
        bench NAME
          agent [--seconds 60] [--warm-up 20]     the published agent over TLS beside node_exporter, both at 1 Hz
          rpc [--streams 2000] [--seconds 30] [--warm-up 20]
          gpu [--seconds 120] [--warm-up 75] [--gpus 8]
                                                  the published agent and its reader on fake GPUs at 1 Hz
          rpc [--streams 2000] [--seconds 30] [--warm-up 140]
                                                  paced streams into the aggregator's memory, then flat out
          store [engine|many|vm|e2e|restart|death|churn] [--nodes 50] [--seconds 7200] [--many-nodes 1000] [--many-seconds 900]
                [--streams 2000] [--warm-up 20] [--paced-seconds 30] [--churn-nodes 2500] [--churn-hours 6]
                                                  synthetic telemetry into our store and Debian's victoria-metrics; through the real
                                                  aggregator; a restart; queries of death; churn. The last line is JSON
          command [--count 500] [--warm-up 50]    a no-op of class R1 from submit to executed and verified; the last line is JSON
          tick                                    microseconds and bytes of each sampler on this host
          codec                                   bytes and time of packing and unpacking a 400-column frame
          spool [--hours 72]                      days without an aggregator: bytes a sample on disk, CPU of a tick, restart
          placement PART                          placement policies, plans and solvers; without PART: the parts
          detection PART                          NAB, SMD, a fleet with injected faults, cost; without PART: the parts
        """);
    return 2;
}
