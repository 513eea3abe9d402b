using NodeAgent.Build.Local;
using NodeAgent.Build.Steps;

return args switch
{
    ["up", .. var rest] => await UpCommand.RunAsync(rest),
    ["test", .. var rest] => await TestStep.RunAsync(rest),
    ["e2e", .. var rest] => await EndToEndStep.RunAsync(rest),
    ["bench", .. var rest] => await BenchStep.RunAsync(rest),
    ["fuzz", .. var rest] => await FuzzStep.RunAsync(rest),
    ["pack", .. var rest] => await PackStep.RunAsync(rest),
    ["docs", .. var rest] => await TestStep.WritePagesAsync(rest),
    _ => Usage(args),
};

static int Usage(string[] args)
{
    TextWriter output = args is ["help"] or ["--help"] or ["-h"] ? Console.Out : Console.Error;
    if (args is [var unknown, ..] && output == Console.Error)
    {
        output.WriteLine($"unknown verb '{unknown}'");
    }

    output.WriteLine(
        """
        ./build.sh VERB
          up [--for 20s] [--port N] [--fake-gpus 8]
                                      build, start aggregator and agent on this machine, show live readings; ends with Ctrl+C or after --for
          test [FILTER]               build everything, run all tests (FILTER: only test projects whose name contains it)
          e2e                         the end-to-end tests in their long form, the real fault list among them
          e2e --faults [N3,S4 ...]    the real fault list, or some of it (docs/reliability.md)
          e2e --kills N [--seed S]    SIGKILL of agents and aggregator in turn, N times; one line of JSON last
          e2e --packages [--as-published]
                                      a clean Debian in a container: install, enrol, run, watchdog, upgrade, purge
          bench NAME [ARGS]           agent | gpu | rpc | tick | codec | spool | store | placement PART | detection PART: a table, and one line of JSON last
          fuzz [TARGET] [--for 60s]   random and mutated input into every parser
          pack                        the programs as .deb, .rpm, .tar.gz and .zip into artifacts/pack
          docs                        write the generated pages under docs/ again
        """);
    return output == Console.Out ? 0 : 2;
}
