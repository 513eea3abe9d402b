using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Benchmarks.Rpc;
using NodeAgent.Contracts.Frames;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc;
using NodeAgent.Testing.Processes;
using NodeAgent.V1;

namespace NodeAgent.Benchmarks.Detection;

/// <summary>
/// The real aggregator under a paced fleet: what a frame costs ingest with detection off and on (its own thread counted apart), then how long
/// XIDs and threshold breaches take from an agent's stream to a watcher while the fleet goes on.
/// </summary>
internal static class LiveBench
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    internal static int Run(string[] arguments) => RunAsync(arguments).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(string[] arguments)
    {
        int streams = Arguments.Number(arguments, "--streams", 300);
        int seconds = Arguments.Number(arguments, "--seconds", 20);
        int faults = Arguments.Number(arguments, "--faults", 100);
        Side off = await MeasureAsync(streams, seconds, 0, isOn: false).ConfigureAwait(false);
        Side on = await MeasureAsync(streams, seconds, 0, isOn: true).ConfigureAwait(false);
        Side seen = await MeasureAsync(streams, seconds, faults, isOn: true).ConfigureAwait(false);
        Console.WriteLine($"{streams} streams of {HostLikeFrames.Columns} values at 1 Hz");
        Console.WriteLine($"{"",-16} {"us/frame",9} {"without detection's and the log's threads",42} {"detection us/frame",19}");
        Console.WriteLine($"{"detection off",-16} {off.MicrosPerFrame,9:0.0} {off.IngestMicrosPerFrame,42:0.0} {0,19:0.0}");
        Console.WriteLine($"{"detection on",-16} {on.MicrosPerFrame,9:0.0} {on.IngestMicrosPerFrame,42:0.0} {on.DetectionMicrosPerFrame,19:0.0}");
        Console.WriteLine($"XID to watcher: p50 {Quantile(seen.Xids, 0.5):0} ms, p99 {Quantile(seen.Xids, 0.99):0} ms, most {Quantile(seen.Xids, 1):0} ms ({seen.Xids.Length}); breach to watcher: p50 {Quantile(seen.Breaches, 0.5):0} ms, p99 {Quantile(seen.Breaches, 0.99):0} ms, most {Quantile(seen.Breaches, 1):0} ms ({seen.Breaches.Length})");
        Console.WriteLine($"detection: {on.Status!.Series} series in {on.Status.MemoryBytes / 1048576} MiB, {on.Status.ShedLaneSamplesTotal} samples and {on.Status.ShedRowsTotal} rows left out, {seen.Status!.OpenIncidents} incidents open, {on.Status.ErrorsTotal} errors");
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            bench = "detection live", streams, seconds,
            ingest_us_per_frame_off = Math.Round(off.IngestMicrosPerFrame, 1), ingest_us_per_frame_on = Math.Round(on.IngestMicrosPerFrame, 1), detection_us_per_frame = Math.Round(on.DetectionMicrosPerFrame, 1),
            xid_p50_ms = Math.Round(Quantile(seen.Xids, 0.5)), xid_p99_ms = Math.Round(Quantile(seen.Xids, 0.99)), breach_p50_ms = Math.Round(Quantile(seen.Breaches, 0.5)), breach_p99_ms = Math.Round(Quantile(seen.Breaches, 0.99)),
            shed_samples = on.Status.ShedLaneSamplesTotal, shed_rows = on.Status.ShedRowsTotal, errors = on.Status.ErrorsTotal,
        }));
        return 0;
    }

    private static async Task<Side> MeasureAsync(int streams, int seconds, int faults, bool isOn)
    {
        string address = $"127.0.0.1:{LocalPair.FreePort()}";
        string state = Directory.CreateTempSubdirectory("nodeagent-bench-").FullName;
        try
        {
            using RealProcess aggregator = RealProcess.Start("aggregator", Repository.AggregatorProgram,
                ["run", "--set", $"listen.plaintext={address}", "--set", $"state.directory={state}", "--set", $"detection.enabled={(isOn ? "true" : "false")}",
                    "--set", "quota.records_per_second=1000000", "--set", "quota.bytes_per_second=1GiB"]);
            await aggregator.WaitForLineAsync(line => line.Contains("event=AggregatorReady", StringComparison.Ordinal), StartLimit).ConfigureAwait(false);
            using AggregatorClient client = AggregatorClient.Plaintext(address);
            ProcessMeter meter = new(aggregator.Id);
            Task<PacedResult> pacing = PacedFleet.RunAsync(address, streams, 20, seconds, client, meter);
            if (faults > 0)
            {
                await SettledAsync(client, streams).ConfigureAwait(false);
            }

            (double[] xids, double[] breaches) = faults > 0 ? await FaultsAsync(address, faults).ConfigureAwait(false) : ([], []);
            PacedResult paced = await pacing.ConfigureAwait(false);
            GetStatusResponse status = await client.StatusAsync().ConfigureAwait(false);
            await aggregator.StopAsync(TimeSpan.FromSeconds(15)).ConfigureAwait(false);

            return new Side(paced.Whole, xids, breaches, status.Detection);
        }
        finally
        {
            Directory.Delete(state, recursive: true);
        }
    }

    // The fleet begins with a history at full speed, which detection sheds in part by design; what is promised holds at a fleet's pace.
    private static async Task SettledAsync(AggregatorClient client, int streams)
    {
        ulong history = (ulong)streams * 192;
        while (await client.StatusAsync().ConfigureAwait(false) is var status && (status.FramesTotal < history || status.Detection.LagMs > 500))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System).ConfigureAwait(false);
        }
    }

    // Each fault on a node of its own, so that every one is news.
    private static async Task<(double[] Xids, double[] Breaches)> FaultsAsync(string address, int faults)
    {
        ConcurrentDictionary<string, TaskCompletionSource<long>> awaited = new(StringComparer.Ordinal);
        using RpcChannel channel = RpcChannel.ForAddress($"http://{address}");
        using AsyncServerStreamingCall<IncidentUpdate> watching = new Incidents.IncidentsClient(channel).Watch(new WatchIncidentsRequest());
        _ = Task.Run(async () =>
        {
            while (await watching.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
            {
                long seen = Stopwatch.GetTimestamp();
                foreach (string node in watching.ResponseStream.Current.Incident.Impact.Nodes)
                {
                    if (awaited.TryGetValue(node, out TaskCompletionSource<long>? waiting))
                    {
                        waiting.TrySetResult(seen);
                    }
                }
            }
        });
        List<double> xids = [], breaches = [];
        for (int at = 0; at < faults; at++)
        {
            using FaultyStream stream = new(address, $"faulty-{at}");
            await stream.OpenAsync().ConfigureAwait(false);
            await stream.FrameAsync(0).ConfigureAwait(false);
            awaited[stream.Node] = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            long begun = Stopwatch.GetTimestamp();
            await (at % 2 == 0 ? stream.XidAsync() : stream.FrameAsync(1)).ConfigureAwait(false);
            long seen = await awaited[stream.Node].Task.WaitAsync(Patience).ConfigureAwait(false);
            (at % 2 == 0 ? xids : breaches).Add(Stopwatch.GetElapsedTime(begun, seen).TotalMilliseconds);
        }

        return ([.. xids.Order()], [.. breaches.Order()]);
    }

    private static double Quantile(double[] sorted, double share) => sorted.Length == 0 ? double.NaN : sorted[(int)Math.Min(Math.Ceiling(share * sorted.Length), sorted.Length) - 1];

    private sealed record Side(Phase Phase, double[] Xids, double[] Breaches, GetStatusResponse.Types.DetectionStatus? Status)
    {
        internal double MicrosPerFrame => Phase.CpuSeconds * 1e6 / Phase.Frames;

        internal double DetectionMicrosPerFrame => Phase.DetectionSeconds * 1e6 / Phase.Frames;

        internal double IngestMicrosPerFrame => 1e6 / Phase.FramesPerCpuSecondToMemory;
    }

    /// <summary>An agent with one GPU series, as far as its aggregator can tell.</summary>
    private sealed class FaultyStream : IDisposable
    {
        private readonly RpcChannel _channel;
        private readonly AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> _call;
        private readonly BlockEncoder _encoder;
        private ulong _sequence;

        internal FaultyStream(string address, string node)
        {
            Node = node;
            _channel = RpcChannel.ForAddress($"http://{address}");
            _encoder = new BlockEncoder([new NodeAgent.Contracts.Series.SeriesDefinition("gpu_row_remap_failed", NodeAgent.Contracts.Metrics.MetricKind.Gauge, "", 1, [new NodeAgent.Contracts.Series.Label("gpu", "0")])]);
            Metadata headers = new() { { FleetIdentity.PlaintextHeader, new FleetIdentity("local", FleetRole.Agent, node).ToUri() } };
            _call = new AgentLink.AgentLinkClient(_channel.CreateCallInvoker()).Connect(headers);
        }

        internal string Node { get; }

        internal async Task OpenAsync()
        {
            await _call.RequestStream.WriteAsync(new AgentMessage { Hello = new Hello { Protocol = 1, AgentVersion = "bench", SpoolEpoch = 1, FirstHeldSequence = 1, WallUnixMs = PacedFleet.Now() } }).ConfigureAwait(false);
            await _call.RequestStream.WriteAsync(new AgentMessage
            {
                Schema = new Schema { SchemaId = 1, Sampler = "gpu", IntervalMs = 1000, Series = { new SeriesDescriptor { Metric = "gpu_row_remap_failed", Kind = MetricKind.Gauge, Scale = 1, Labels = { new Label { Name = "gpu", Value = "0" } } } } },
            }).ConfigureAwait(false);
        }

        internal Task FrameAsync(double value)
        {
            // A second apart, as the agent's ticks are; the first one lies in the past.
            long wall = PacedFleet.Now() + (value == 0 ? -1000 : 0);
            Frame frame = new() { Sequence = ++_sequence, WallUnixMs = wall, MonotonicNs = (ulong)wall * 1_000_000, Clock = ClockQuality.Synchronised, Key = _sequence == 1 };
            frame.Blocks.Add(new Block { SchemaId = 1, Payload = ByteString.CopyFrom(_encoder.Encode([value], [1UL])) });
            return _call.RequestStream.WriteAsync(new AgentMessage { Frame = frame });
        }

        internal Task XidAsync() => _call.RequestStream.WriteAsync(new AgentMessage
        {
            Event = new Event
            {
                Sequence = ++_sequence, Kind = "xid", Severity = Severity.Critical, WallUnixMs = PacedFleet.Now(), Message = "Xid 79",
                Attributes = { new Label { Name = "number", Value = "79" }, new Label { Name = "pci", Value = "0000:18:00" } },
            },
        });

        public void Dispose()
        {
            _call.Dispose();
            _channel.Dispose();
        }
    }
}
