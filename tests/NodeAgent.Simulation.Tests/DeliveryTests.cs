using System.Collections.Concurrent;
using System.Globalization;
using NodeAgent.Simulation.Tests.World;

namespace NodeAgent.Simulation.Tests;

/// <summary>
/// Kinds of harm mixed, from seeds. A failing one prints the command that replays it; once mended it goes to <see cref="Kept"/>.
/// NODEAGENT_SIMULATION_SEEDS says how many are run, NODEAGENT_SIMULATION_SEED which one alone, NODEAGENT_SIMULATION_HARM which
/// kinds of <see cref="Harm"/> are allowed.
/// </summary>
public sealed class DeliveryTests
{
    private const int UsualSeeds = 200;

    private static readonly TimeSpan Rage = TimeSpan.FromSeconds(60);

    /// <summary>Everything must have arrived this long after the last harm was taken back.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromMinutes(10);

    // What may come together. Not mixed yet: an agent's failing disk with power cuts, and wrong clocks with reboots; both still lose records
    // that nothing explains (docs/reliability.md).
    private static readonly Harm[] s_mixtures =
    [
        Harm.Process | Harm.Power | Harm.Network,
        Harm.Process | Harm.Network | Harm.AggregatorDisk,
        Harm.Process | Harm.Clock,
        Harm.Network | Harm.AgentDisk,
    ];

    private static readonly Harm? s_wanted =
        Enum.TryParse(Environment.GetEnvironmentVariable("NODEAGENT_SIMULATION_HARM"), out Harm harm) ? harm : null;

    /// <summary>Seeds that failed once.</summary>
    public static TheoryData<int> Kept { get; } = [1];

    [Fact]
    public void Delivery_ManySeedsOfMixedHarm_LosesNothingAndStoresNothingTwice()
    {
        int[] seeds = int.TryParse(Environment.GetEnvironmentVariable("NODEAGENT_SIMULATION_SEED"), CultureInfo.InvariantCulture, out int one)
            ? [one]
            : [.. Enumerable.Range(1, int.TryParse(Environment.GetEnvironmentVariable("NODEAGENT_SIMULATION_SEEDS"), CultureInfo.InvariantCulture, out int many) ? many : UsualSeeds)];
        ConcurrentQueue<(int Seed, string Problem)> failures = new();
        Parallel.ForEach(seeds, seed =>
        {
            if (Run(seed) is { } problem)
            {
                failures.Enqueue((seed, problem));
            }
        });

        Assert.True(
            failures.IsEmpty,
            $"{failures.Count} of {seeds.Length} seeds failed: {string.Join(' ', failures.Select(f => f.Seed).Order())}\n"
            + string.Join("\n\n", failures.OrderBy(f => f.Seed).Take(3).Select(f =>
                $"seed {f.Seed}: {f.Problem}\nreplay: NODEAGENT_SIMULATION_SEED={f.Seed} dotnet test tests/NodeAgent.Simulation.Tests")));
    }

    [Theory]
    [MemberData(nameof(Kept))]
    public void Delivery_SeedThatFailedOnce_Passes(int seed) => Assert.Null(Run(seed));

    private static string? Run(int seed)
    {
        using World.Simulation world = new(seed);
        try
        {
            world.RunFor(TimeSpan.FromSeconds(5));
            new Nemesis(world, s_wanted ?? s_mixtures[seed % s_mixtures.Length]).Rage(Rage);
            world.Agents.ForEach(static agent => agent.IsQuiet = true);

            bool isDrained = world.RunUntil(() => world.Aggregator is not null && world.Agents.TrueForAll(agent => agent.IsDrained), Calm);
            world.Require(isDrained, $"not drained: {string.Join(", ", world.Agents.Select(agent => $"{agent.Name} holds {agent.Unacknowledged}"))}");
            world.CheckComplete();
            return null;
        }
        catch (Exception e)
        {
            return $"{(e is SimulationException ? e.Message : e.ToString())}, at {world.Time.Elapsed.TotalSeconds:0.00} s\n{string.Join('\n', world.History)}";
        }
    }
}
