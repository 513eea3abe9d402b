using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using NodeAgent.EndToEnd.Tests.Faults.Rig;
using NodeAgent.EndToEnd.Tests.Faults.Truth;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Faults;

/// <summary>
/// S3 and P1: SIGKILL of agents and aggregator in turn, at random moments, under load. A dozen in every test run;
/// <c>./build.sh e2e --kills 1000</c> for the promise. The moments come from a printed seed; what the machine does between two moments does
/// not, so a seed repeats the schedule and not the run.
/// </summary>
public sealed class KillLoopTests
{
    private const int Agents = 4;
    private const int KillsByDefault = 12;

    // Kills this close together leave little time of connection: at the usual pace of four the agents would owe more with each kill, and the
    // loop would prove less and less.
    private const string FastBacklog = "uplink.backlog_speed=100";

    private static readonly TimeSpan ProgressLimit = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Kills_OfAgentAndAggregatorInTurn_LoseNothingAcknowledgedAndStoreNothingTwice()
    {
        int kills = Number("NODEAGENT_TEST_KILLS", KillsByDefault);
        int seed = Number("NODEAGENT_TEST_SEED", Random(out _));
        Fault.Say($"seed {seed}");
        Stopwatch watch = Stopwatch.StartNew();
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { Agents = Agents, Seed = seed, AgentSettings = [FastBacklog] });
        Killer killer = new(rig, new Random(seed));
        for (int i = 0; i < kills; i++)
        {
            await killer.KillAsync(i);
        }

        TimeSpan killing = watch.Elapsed;
        rig.Agents.ForEach(agent => Fault.Say(FaultRig.State(agent)));
        Verdict verdict = await SettleOrKeepAsync(rig, seed);

        string summary = Summary(killer, seed, verdict, killing, watch.Elapsed);
        Fault.Say(summary);
        if (Environment.GetEnvironmentVariable("NODEAGENT_TEST_KILLS_REPORT") is { } report)
        {
            await File.WriteAllTextAsync(report, summary + "\n");
        }

        if (verdict.Lost + verdict.Duplicated + verdict.Unknown + verdict.NeverSent + verdict.Reused > 0)
        {
            Fault.Say($"everything is kept in {rig.Keep($"kills-{seed}")}");
        }

        verdict.AssertExactlyOnce($"seed {seed}, {kills} kills");
        Assert.True(verdict.NeverSent == 0, $"seed {seed}: records that were spooled never came: {verdict}");
        Assert.Equal(Agents, verdict.Epochs);
    }

    private static async Task<Verdict> SettleOrKeepAsync(FaultRig rig, int seed)
    {
        try
        {
            await Task.WhenAll(rig.Agents.Select(agent => FaultRig.ProgressAsync(agent, 1, ProgressLimit)));
            return await rig.SettleAsync();
        }
        catch
        {
            Fault.Say($"everything is kept in {rig.Keep($"kills-{seed}")}");
            throw;
        }
    }

    private static string Summary(Killer killer, int seed, Verdict verdict, TimeSpan killing, TimeSpan whole) => JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["kills"] = killer.OfAggregator + killer.OfAgents,
        ["acked"] = verdict.Acked,
        ["stored"] = verdict.Stored,
        ["lost"] = verdict.Lost,
        ["duplicated"] = verdict.Duplicated,
        ["of_aggregator"] = killer.OfAggregator,
        ["of_agents"] = killer.OfAgents,
        ["in_start_up"] = killer.InStartUp,
        ["unknown"] = verdict.Unknown,
        ["never_sent"] = verdict.NeverSent,
        ["reused"] = verdict.Reused,
        ["resent"] = verdict.Resent,
        ["epochs"] = verdict.Epochs,
        ["agents"] = Agents,
        ["seed"] = seed,
        ["kills_per_s"] = Math.Round((killer.OfAggregator + killer.OfAgents) / killing.TotalSeconds, 2),
        ["seconds"] = Math.Round(whole.TotalSeconds, 1),
    });

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int value) ? value : otherwise;

    // A run's own seed; printed, so that it can be given back.
    private static int Random(out Random random)
    {
        random = new Random(Environment.TickCount ^ Environment.ProcessId);
        return random.Next(1, int.MaxValue);
    }

    /// <summary>Kills one program after another and starts it again, sometimes before the one before has recovered.</summary>
    private sealed class Killer(FaultRig rig, Random random)
    {
        private const double LongestWaitMs = 900;
        private const double LongestAbsenceMs = 150;

        // Recovery is where most can go wrong, and it is over before anybody connects: a kill in four hits who was just started.
        private const int OneInOnTheSame = 4;
        private const double StartUpMs = 300;

        private const int Aggregator = -1;

        private int _last;

        internal int OfAggregator { get; private set; }

        internal int OfAgents { get; private set; }

        /// <summary>Kills of a program that did not serve or was not connected yet.</summary>
        internal int InStartUp { get; private set; }

        internal async Task KillAsync(int number)
        {
            bool isTheSame = random.Next(OneInOnTheSame) == 0;
            await WaitAsync(random.NextDouble() * (isTheSame ? StartUpMs : LongestWaitMs)).ConfigureAwait(false);
            _last = isTheSame ? _last : number % 2 == 0 ? Aggregator : random.Next(rig.Agents.Count);
            if (_last == Aggregator)
            {
                await KillAggregatorAsync().ConfigureAwait(false);
            }
            else
            {
                await KillAgentAsync(rig.Agents[_last]).ConfigureAwait(false);
            }
        }

        private async Task KillAggregatorAsync()
        {
            OfAggregator++;
            InStartUp += rig.Aggregator.Count("AggregatorReady") == 0 ? 1 : 0;
            await rig.Aggregator.KillAsync().ConfigureAwait(false);
            rig.Aggregator.Dispose();
            await WaitAsync(random.NextDouble() * LongestAbsenceMs).ConfigureAwait(false);
            rig.LaunchAggregator();

            // Three in four may come up first, so that there is something to lose.
            if (random.Next(4) != 0)
            {
                await rig.Aggregator.WaitForEventAsync("AggregatorReady", LocalPair.StartLimit).ConfigureAwait(false);
            }
        }

        private async Task KillAgentAsync(AgentUnit agent)
        {
            OfAgents++;
            InStartUp += agent.Process.Count("UplinkConnected") == 0 ? 1 : 0;
            await agent.KillAsync().ConfigureAwait(false);
            agent.Process.Dispose();
            await WaitAsync(random.NextDouble() * LongestAbsenceMs).ConfigureAwait(false);
            agent.Start();
        }

        private static Task WaitAsync(double milliseconds) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System);
    }
}
