using System.Collections.Concurrent;
using System.Globalization;
using NodeAgent.Simulation.Tests.World;

namespace NodeAgent.Simulation.Tests;

/// <summary>
/// Kinds of harm mixed, from seeds. A failing one prints the command that replays it; once mended it goes to <see cref="Kept"/>.
/// NODEAGENT_SIMULATION_SEEDS says how many are run, NODEAGENT_SIMULATION_SEED which one alone, NODEAGENT_SIMULATION_HARM which
/// kinds of <see cref="Harm"/> are allowed, NODEAGENT_SIMULATION_FIRST which seed is the first.
/// </summary>
public sealed class DeliveryTests
{
    private const int UsualSeeds = 2_000;

    private static readonly TimeSpan Rage = TimeSpan.FromSeconds(60);

    /// <summary>Everything must have arrived this long after the last harm was taken back.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromMinutes(10);

    // What may come together; the same seed gives another world in each. Append only, or no seed means what it meant.
    private static readonly Harm[] s_mixtures =
    [
        Harm.Process | Harm.Power | Harm.Network,
        Harm.Process | Harm.Network | Harm.AggregatorDisk,
        Harm.Process | Harm.Clock,
        Harm.Network | Harm.AgentDisk,
        Harm.AgentDisk | Harm.Power,
        Harm.AgentDisk | Harm.Process | Harm.Power | Harm.Network,
        Harm.Clock | Harm.Power,
        Harm.Clock | Harm.Power | Harm.Process | Harm.Network,
        Harm.All,
    ];

    private static readonly Harm? s_wanted =
        Enum.TryParse(Environment.GetEnvironmentVariable("NODEAGENT_SIMULATION_HARM"), out Harm harm) ? harm : null;

    /// <summary>Seeds that failed once, with the harm they were under and what they found.</summary>
    public static TheoryData<int, string, string> Kept { get; } = new()
    {
        { 1, "Process, Power, Network", "the first one" },
        { 28, "AgentDisk, Process, Power, Network", "chapters dropped by a full disk that could not take a note of it: not counted" },
        { 54, "AgentDisk, Process, Power, Network", "the same, with an orderly disk afterwards" },
        { 15, "AgentDisk, Process, Power, Network", "the same, and power cut" },
        { 65, "AgentDisk, Process, Power, Network", "the same, over several jumps of the sequence" },
        { 334, "AgentDisk, Process, Power, Network", "the same, behind a damaged end" },
        { 91, "AgentDisk, Power", "a read that failed: memory's records went in the place of the backlog, which was then freed" },
        { 33, "AgentDisk, Power", "the same" },
        { 152, "AgentDisk, Power", "sequences that nobody has: a backlog that never ended" },
        { 30, "AgentDisk, Power", "failing reads at the start: a whole segment set aside" },
        { 41, "AgentDisk, Power", "a start without the disk: the backlog left to the next life" },
        { 318, "AgentDisk, Power", "the counts of an epoch that another one took the place of" },
        { 12, "Clock, Power", "frames of an earlier boot with a wrong clock, refused though the aggregator had heard of that boot" },
        { 46, "Clock, Power", "the same" },
        { 146, "Clock, Power", "the same, in a boot of which nobody heard: set aside and counted" },
        { 2, "All", "frames of an earlier boot" },
        { 16, "All", "a backlog that never ended" },
    };

    [Fact]
    public void Delivery_ManySeedsOfMixedHarm_LosesNothingAndStoresNothingTwice()
    {
        int[] seeds = int.TryParse(Environment.GetEnvironmentVariable("NODEAGENT_SIMULATION_SEED"), CultureInfo.InvariantCulture, out int one)
            ? [one]
            : [.. Enumerable.Range(Number("NODEAGENT_SIMULATION_FIRST", 1), Number("NODEAGENT_SIMULATION_SEEDS", UsualSeeds))];
        ConcurrentQueue<(int Seed, string Problem)> failures = new();
        Parallel.ForEach(seeds, seed =>
        {
            if (Run(seed, MixtureOf(seed)) is { } problem)
            {
                failures.Enqueue((seed, problem));
            }
        });

        Assert.True(
            failures.IsEmpty,
            $"{failures.Count} of {seeds.Length} seeds failed: {string.Join(' ', failures.Select(f => f.Seed).Order())}\n"
            + string.Join("\n\n", failures.OrderBy(f => f.Seed).Take(3).Select(f => Describe(f.Seed, MixtureOf(f.Seed), f.Problem))));
    }

    [Theory]
    [MemberData(nameof(Kept))]
    public void Delivery_SeedThatFailedOnce_Passes(int seed, string harm, string found)
    {
        string? problem = Run(seed, Enum.Parse<Harm>(harm));
        Assert.True(problem is null, $"found once: {found}\n{Describe(seed, Enum.Parse<Harm>(harm), problem ?? "")}");
    }

    private static int Number(string variable, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : usual;

    private static Harm MixtureOf(int seed) => s_wanted ?? s_mixtures[seed % s_mixtures.Length];

    private static string Describe(int seed, Harm harm, string problem) =>
        $"seed {seed}: {problem}\nreplay: NODEAGENT_SIMULATION_HARM='{harm}' NODEAGENT_SIMULATION_SEED={seed} dotnet test tests/NodeAgent.Simulation.Tests";

    private static string? Run(int seed, Harm harm)
    {
        using World.Simulation world = new(seed);
        try
        {
            world.RunFor(TimeSpan.FromSeconds(5));
            new Nemesis(world, harm).Rage(Rage);
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
