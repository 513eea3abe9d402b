using System.Diagnostics;
using NodeAgent.Benchmarks.Rpc;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Benchmarks.Store;

/// <summary>
/// The real aggregator with its durable store behind real gRPC: a fleet at 1 Hz with and without TLS, and a restart after SIGKILL with
/// everything still in the log. CPU is the aggregator process' own, by the kernel.
/// </summary>
internal static class E2eBenchmark
{
    private const int Kill = 9;
    private const int LogSeconds = 600;
    private const int Restarts = 3;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(120);

    /// <summary>Samples per CPU-second, connections, log, fsync and store included.</summary>
    internal static async Task<OurFigures> MeasureAsync(string directory, int streams, int warmUp, int seconds, OurFigures figures)
    {
        Pace plain = await PacedAsync(Path.Combine(directory, "plain"), streams, warmUp, seconds, fleet: null).ConfigureAwait(false);
        using BenchFleet fleet = await BenchFleet.MakeAsync(Path.Combine(directory, "fleet")).ConfigureAwait(false);
        Pace tls = await PacedAsync(Path.Combine(directory, "tls"), streams, warmUp, seconds, fleet).ConfigureAwait(false);
        return figures with
        {
            E2eSamplesPerCpuS = plain.SamplesPerCpuS, E2eTlsSamplesPerCpuS = tls.SamplesPerCpuS,
            E2ePacedS = plain.PacedSeconds, E2eTlsPacedS = tls.PacedSeconds,
        };
    }

    /// <summary>Seconds from the start of the process until it serves, with ten minutes of a fleet in the log and none of it in files.</summary>
    internal static async Task<OurFigures> MeasureRestartAsync(string directory, int nodes, OurFigures figures)
    {
        string address = $"127.0.0.1:{LocalPair.FreePort()}";
        using (RealProcess aggregator = await StartAsync(directory, address, fleet: null).ConfigureAwait(false))
        {
            BenchStream[] streams = await PacedFleet.OpenAsync(address, nodes, first: 0).ConfigureAwait(false);
            long now = PacedFleet.Now();
            await Parallel.ForEachAsync(streams, async (stream, _) =>
            {
                for (int age = LogSeconds; age > 0; age--)
                {
                    await stream.SendAsync(now - (age * 1_000L)).ConfigureAwait(false);
                    if (age % 16 == 0)
                    {
                        await Task.Yield(); // the others have PINGs to answer
                    }
                }
            }).ConfigureAwait(false);
            await PacedFleet.CloseAsync(streams).ConfigureAwait(false);
            Array.ForEach(streams, stream => stream.Dispose());
            aggregator.Signal(Kill);
            await aggregator.WaitForExitAsync(StartLimit).ConfigureAwait(false);
        }

        List<(double Seconds, double CpuSeconds)> restarts = [];
        for (int i = 0; i < Restarts; i++)
        {
            restarts.Add(await RestartAsync(directory, address).ConfigureAwait(false));
        }

        return figures with
        {
            RestartS = Arguments.Median([.. restarts.Select(one => one.Seconds)]), RestartCpuS = Arguments.Median([.. restarts.Select(one => one.CpuSeconds)]),
        };
    }

    private static async Task<(double Seconds, double CpuSeconds)> RestartAsync(string directory, string address)
    {
        long started = Stopwatch.GetTimestamp();
        using RealProcess again = await StartAsync(directory, address, fleet: null).ConfigureAwait(false);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double cpu = new ProcessMeter(again.Id).CpuNs() / 1e9;
        using AggregatorClient client = AggregatorClient.Plaintext(address);
        V1.GetStatusResponse status = await client.StatusAsync().ConfigureAwait(false);
        Console.Error.WriteLine($"restart with {status.Log.ReplayedRecords} records in {status.Log.Bytes >> 20} MiB of log: {seconds:0.0} s, {cpu:0.0} s of CPU");
        again.Signal(Kill); // before anything of it is in files: the next one has the same to do
        await again.WaitForExitAsync(StartLimit).ConfigureAwait(false);
        return (seconds, cpu);
    }

    private static async Task<Pace> PacedAsync(string directory, int streams, int warmUp, int seconds, BenchFleet? fleet)
    {
        string address = $"127.0.0.1:{LocalPair.FreePort()}";
        using RealProcess aggregator = await StartAsync(directory, address, fleet).ConfigureAwait(false);
        using AggregatorClient client = fleet?.Client(address) ?? AggregatorClient.Plaintext(address);
        ProcessMeter meter = new(aggregator.Id);
        PacedResult result = await PacedFleet.RunAsync(address, streams, warmUp, seconds, client, meter, fleet, hasSilence: false).ConfigureAwait(false);
        Pace pace = Pace.Of(result, streams);
        Console.Error.WriteLine(
            $"{streams} streams, {(fleet is null ? "no TLS" : "TLS 1.3")}: {pace.SamplesPerCpuS / 1e6:0.0} M samples/CPU-s over {pace.PacedSeconds:0} s at {streams} frames/s (of {result.Whole.Wall.TotalSeconds:0} s), RSS {meter.RssMib():0} MiB");
        aggregator.Signal(Kill); // its orderly stop is no part of this
        await aggregator.WaitForExitAsync(StartLimit).ConfigureAwait(false);
        return pace;
    }

    internal static async Task<RealProcess> StartAsync(string directory, string address, BenchFleet? fleet, params string[] settings)
    {
        // No quota stands in the way of what is measured.
        List<string> arguments =
        [
            "run", "--set", $"state.directory={directory}", "--set", "quota.records_per_second=1000000", "--set", "quota.bytes_per_second=1GiB",
            "--set", fleet is null ? $"listen.plaintext={address}" : $"listen.address={address}",
        ];
        arguments.AddRange(fleet?.Settings ?? []);
        arguments.AddRange(settings.SelectMany(setting => new[] { "--set", setting }));
        RealProcess aggregator = RealProcess.Start("aggregator", Repository.AggregatorProgram, arguments);
        await aggregator.WaitForLineAsync(line => line.Contains("event=AggregatorReady", StringComparison.Ordinal), StartLimit).ConfigureAwait(false);
        return aggregator;
    }

    /// <summary>
    /// Of the windows in which the fleet's pace was kept: frames that come in heaps cost less, and on a machine that others use there are such.
    /// </summary>
    /// <param name="SamplesPerCpuS">0: there was no such window, and no figure.</param>
    /// <param name="PacedSeconds">How long those windows were together.</param>
    private readonly record struct Pace(double SamplesPerCpuS, double PacedSeconds)
    {
        private const double Tolerance = 0.05;

        internal static Pace Of(PacedResult result, int streams)
        {
            Phase[] paced = [.. result.Windows.Where(window => Math.Abs((window.Frames / window.Wall.TotalSeconds) - streams) <= Tolerance * streams)];
            foreach (Phase window in result.Windows.Except(paced))
            {
                Console.Error.WriteLine($"  left out: a window of {window.Frames / window.Wall.TotalSeconds:0} frames/s, {window.FramesPerCpuSecond * HostLikeFrames.Columns / 1e6:0.0} M samples/CPU-s");
            }

            return paced.Length == 0 ? default : new Pace(
                paced.Sum(window => window.Frames) * HostLikeFrames.Columns / paced.Sum(window => window.CpuSeconds), paced.Sum(window => window.Wall.TotalSeconds));
        }
    }
}
