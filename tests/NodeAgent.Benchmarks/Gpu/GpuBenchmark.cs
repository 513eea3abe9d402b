using System.Diagnostics;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Benchmarks.Gpu;

/// <summary>
/// The published agent and its GPU reader on fake GPUs at 1 Hz over mutual TLS. The fake answers in microseconds: what is measured is ours,
/// not a driver's.
/// </summary>
internal static class GpuBenchmark
{
    private static readonly string[] Tiers = ["fast", "detail", "slow", "other"];

    internal static async Task<int> RunAsync(string[] arguments)
    {
        int seconds = Arguments.Number(arguments, "--seconds", 120); // two minutes: both of the slow tier's beats are in it
        int warmUp = Arguments.Number(arguments, "--warm-up", 75);
        int count = Arguments.Number(arguments, "--gpus", 8);
        string folder = Directory.CreateTempSubdirectory("nodeagent-bench-").FullName;
        try
        {
            if (await FakeGpus.TryCreateAsync(Path.Combine(folder, "gpus"), count).ConfigureAwait(false) is not { } gpus)
            {
                Console.Error.WriteLine("bench gpu: gcc is not installed, so there is no fake GPU");
                return 1;
            }

            gpus.Set("gpu.*.proc.0", $"{Environment.ProcessId},1073741824,50");
            await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions
            {
                Folder = folder,
                Node = "bench",
                AgentProgram = Repository.PublishedAgent,
                AgentSettings = gpus.AgentSettings,
            }).ConfigureAwait(false);
            IReadOnlyList<string> ctl = pair.CtlArguments;
            using AggregatorClient client = AggregatorClient.Tls(pair.Address.ToString(), ctl[3], ctl[5], ctl[7]);
            await Task.Delay(TimeSpan.FromSeconds(warmUp), TimeProvider.System).ConfigureAwait(false);
            int reader = ReaderOf(pair.Agent!.Id);
            Reading before = await Reading.TakeAsync(pair.Agent.Id, reader, client).ConfigureAwait(false);
            await Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System).ConfigureAwait(false);
            Reading after = await Reading.TakeAsync(pair.Agent.Id, reader, client).ConfigureAwait(false);
            await ReportAsync(before, after, pair.Agent.Id, reader, client, count).ConfigureAwait(false);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task ReportAsync(Reading before, Reading after, int agent, int reader, AggregatorClient client, int gpus)
    {
        double wall = (after.At - before.At).TotalSeconds;
        double agentCpu = (after.AgentCpuNs - before.AgentCpuNs) / 1e6 / wall;
        double readerCpu = (after.ReaderCpuNs - before.ReaderCpuNs) / 1e6 / wall;
        double agentPss = new ProcessMeter(agent).PssMib();
        double readerPss = new ProcessMeter(reader).PssMib();
        double calls = 0;
        Console.WriteLine($"{gpus} fake GPUs, {wall:0} s");
        Console.WriteLine($"{"",-12} {"CPU ms/s",9} {"PSS MiB",8}");
        Console.WriteLine($"{"agent",-12} {agentCpu,9:0.000} {agentPss,8:0.0}");
        Console.WriteLine($"{"gpu-reader",-12} {readerCpu,9:0.000} {readerPss,8:0.0}");
        for (int tier = 0; tier < Tiers.Length; tier++)
        {
            double perSecond = (after.Calls[tier] - before.Calls[tier]) / wall;
            calls += perSecond;
            Console.WriteLine($"NVML calls/s, {Tiers[tier],-7} {perSecond,8:0.00}   ({perSecond / gpus:0.00} a GPU)");
        }

        double series = await client.ValueAsync("count({__name__=~\"gpu_.*\"})").ConfigureAwait(false) ?? 0;
        double bytes = (after.TickBytes - before.TickBytes + after.ReaderBytes - before.ReaderBytes) / wall;
        Console.WriteLine($"{series} GPU series; {bytes:0.0} B allocated a second by the agent's tick and the reader's thread together");
        Console.WriteLine(
            $$"""{"cpu_ms_per_s":{{agentCpu + readerCpu:0.0000}},"pss_mib":{{agentPss + readerPss:0.00}},"series":{{series}},"nvml_calls_per_s":{{calls:0.0}},"alloc_bytes_per_tick":{{bytes:0.0}},"reader_cpu_ms_per_s":{{readerCpu:0.0000}},"reader_pss_mib":{{readerPss:0.00}},"gpus":{{gpus}},"fake":true}""");
    }

    private static int ReaderOf(int agent)
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out int pid) && IsReader(pid, agent))
            {
                return pid;
            }
        }

        throw new InvalidOperationException("the agent has no GPU reader");
    }

    private static bool IsReader(int pid, int agent)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Contains("gpu-reader", StringComparison.Ordinal)
                && File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1] == agent.ToString();
        }
        catch (IOException)
        {
            return false; // ended in the meantime
        }
    }

    private sealed record Reading(TimeSpan At, long AgentCpuNs, long ReaderCpuNs, double TickBytes, double ReaderBytes, double[] Calls)
    {
        internal static async Task<Reading> TakeAsync(int agent, int reader, AggregatorClient client)
        {
            double[] calls = new double[Tiers.Length];
            for (int tier = 0; tier < Tiers.Length; tier++)
            {
                calls[tier] = await client.ValueAsync($"nodeagent_nvml_calls_total{{tier=\"{Tiers[tier]}\"}}").ConfigureAwait(false) ?? 0;
            }

            double tickBytes = await client.ValueAsync("nodeagent_tick_allocated_bytes_total").ConfigureAwait(false) ?? 0;
            double readerBytes = await client.ValueAsync("nodeagent_gpu_reader_allocated_bytes_total").ConfigureAwait(false) ?? 0;
            return new Reading(
                TimeSpan.FromSeconds(Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency), new ProcessMeter(agent).CpuNs(), new ProcessMeter(reader).CpuNs(), tickBytes, readerBytes, calls);
        }
    }
}
