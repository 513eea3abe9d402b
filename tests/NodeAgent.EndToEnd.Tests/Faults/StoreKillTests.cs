using System.Globalization;
using Grpc.Core;
using NodeAgent.EndToEnd.Tests.Faults.Rig;
using NodeAgent.EndToEnd.Tests.Faults.Truth;
using NodeAgent.V1;

namespace NodeAgent.EndToEnd.Tests.Faults;

/// <summary>
/// SIGKILL of the real aggregator while its store writes and merges files every second: what was acknowledged is there after the restart,
/// once, with its own value, however far it had got from the log into files.
/// </summary>
public sealed class StoreKillTests
{
    private const int RoundsByDefault = 5;
    private const int FramesPerRound = 700;
    private const string Metric = "crafted_counter";

    private static readonly CraftedAgent.Table s_table = new(1, "crafted", Metric, ["a", "b"]);

    [Fact]
    [Trait("fault", "S3")]
    public async Task S3_KillsWhileFilesAreWrittenAndMerged_KeepEveryAcknowledgedSample()
    {
        int rounds = int.TryParse(Environment.GetEnvironmentVariable("NODEAGENT_TEST_STORE_KILLS"), CultureInfo.InvariantCulture, out int more) ? more : RoundsByDefault;
        Random random = new(7);
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions
        {
            Agents = 1, StartsAgents = false, AggregatorSettings = ["store.flush_interval=1s", "quota.records_per_second=100000"],
        });

        // From three hours ago on, a second apart: several windows of two hours are open, so flushes write and merges read more than one.
        long start = (Fault.NowUnixMs - (3 * 3_600_000)) / 60_000 * 60_000;
        ulong sent = 0;
        for (int round = 0; round < rounds; round++)
        {
            sent = await SendAsync(rig, start, sent);
            await Fault.LetRunAsync(random.NextDouble() * 2.5); // somewhere between a head and a merged file
            await rig.Aggregator.KillAsync();
            rig.Aggregator.Dispose();
            await rig.StartAggregatorAsync();
            await AssertHasAllAsync(rig, start, sent, $"after kill {round + 1}");
        }

        // Enough files for a merge of the window, and then the orderly way out and in again: everything is in files, and nothing is read back.
        Assert.True(await rig.Aggregator.StopAsync(Testing.Processes.LocalPair.StopLimit), "the aggregator did not stop");
        Assert.Contains(Directory.GetFiles(Path.Combine(rig.StateFolder, "store", "segments")), file => file.EndsWith(".raw", StringComparison.Ordinal));
        await rig.StartAggregatorAsync();
        await AssertHasAllAsync(rig, start, sent, "after an orderly stop");
        Assert.Equal(0, rig.AggregatorLives.Sum(life => life.Count("StoreSegmentSetAside")));
    }

    private static async Task<ulong> SendAsync(FaultRig rig, long start, ulong sent)
    {
        using CraftedAgent agent = CraftedAgent.Make(rig.Address, "history");
        using CraftedStream stream = await agent.OpenAsync(epoch: 3);
        await stream.SendAsync(s_table.Schema);
        for (int i = 0; i < FramesPerRound; i++)
        {
            sent++;
            await stream.SendAsync(s_table.Frame(sent, start + ((long)sent * 1_000), ValueOf(sent), -ValueOf(sent)));
        }

        Assert.Equal(StatusCode.OK, (await stream.FinishAsync()).StatusCode);
        Assert.Equal(sent, stream.Acknowledged);
        return sent;
    }

    private static async Task AssertHasAllAsync(FaultRig rig, long start, ulong sent, string when)
    {
        using TickReader reader = rig.Reader();
        for (ulong first = 1; first <= sent; first += 5_000)
        {
            ulong last = Math.Min(sent, first + 4_999);
            double[] values = await ReadAsync(reader, start + ((long)first * 1_000), start + ((long)last * 1_000));
            for (ulong sequence = first; sequence <= last; sequence++)
            {
                double value = values.Length == 0 ? double.NaN : values[(int)(sequence - first)];
                Assert.True(value == ValueOf(sequence), $"{when}: sample {sequence} of {sent} is {value}, not {ValueOf(sequence)}");
            }
        }

        string seconds = (sent + 10).ToString(CultureInfo.InvariantCulture);
        using AsyncServerStreamingCall<RangeResponse> call = reader.Query.Range(new RangeRequest
        {
            Query = new QueryInput { Expression = $"count_over_time({Metric}{{item=\"a\"}}[{seconds}s])" },
            StartUnixMs = start + ((long)sent * 1_000), EndUnixMs = start + ((long)sent * 1_000), StepMs = 1_000,
        });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal((double)sent, call.ResponseStream.Current.Values[0]); // each once
    }

    private static async Task<double[]> ReadAsync(TickReader reader, long from, long to)
    {
        using AsyncServerStreamingCall<RangeResponse> call = reader.Query.Range(new RangeRequest
        {
            Query = new QueryInput { Expression = $"last_over_time({Metric}{{item=\"a\"}}[1s])" }, StartUnixMs = from, EndUnixMs = to, StepMs = 1_000,
        });
        return await call.ResponseStream.MoveNext(CancellationToken.None) ? [.. call.ResponseStream.Current.Values] : [];
    }

    private static double ValueOf(ulong sequence) => (sequence * 7919) % 10_007 / 8.0;
}
