using System.Runtime.CompilerServices;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Simulation.Tests.World;

/// <summary>
/// Some agents, an aggregator, their networks, clocks and disks, in one thread and from one seed: the same seed gives the same run, step
/// for step. Nothing in it waits; time passes when <see cref="RunFor"/> says so.
/// </summary>
internal sealed class Simulation : IDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(50);

    /// <summary>The agents' queues towards the network at most, each: the flow-control window of two lanes.</summary>
    private const int MostQueuedBytes = 3 * 64 * 1024;

    private readonly Random _aggregatorRandom;
    private TimeSpan? _aggregatorStartsAt;

    internal Simulation(int seed)
    {
        Seed = seed;
#pragma warning disable CA5394 // Not for secrets: it is the seed that matters.
        Random = new Random(seed);
        _aggregatorRandom = new Random(Random.Next());
        AggregatorDisk = new SimulatedDisk(Random.Next());
        TimeSpan[] intervals = [TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1)];
        for (int i = Random.Next(1, 5); i > 0; i--)
        {
            Agents.Add(new SimulatedAgent($"node-{i}", Time, Random.Next(), intervals[Random.Next(intervals.Length)], () => Aggregator, Note));
        }
#pragma warning restore CA5394
        StartAggregator();
        Agents.ForEach(static agent => agent.Start());
    }

    internal int Seed { get; }

    internal Random Random { get; }

    internal SimulatedTime Time { get; } = new();

    internal SimulatedDisk AggregatorDisk { get; }

    internal List<SimulatedAgent> Agents { get; } = [];

    /// <summary>Null: it is down.</summary>
    internal SimulatedAggregator? Aggregator { get; private set; }

    /// <summary>What was done, for the message of a failing seed.</summary>
    internal List<string> History { get; } = [];

    internal void Note(string what) => History.Add($"{Time.Elapsed.TotalSeconds,8:0.00} {what}");

    internal void RunFor(TimeSpan time)
    {
        for (TimeSpan end = Time.Elapsed + time; Time.Elapsed < end;)
        {
            Time.Advance(Beat);
            Step();
        }
    }

    /// <summary>Runs until something holds; false: it did not within this time.</summary>
    internal bool RunUntil(Func<bool> holds, TimeSpan atMost)
    {
        for (TimeSpan end = Time.Elapsed + atMost; Time.Elapsed < end && !holds();)
        {
            Time.Advance(Beat);
            Step();
        }

        return holds();
    }

    internal void KillAggregator(bool isPowerCut, TimeSpan down)
    {
        if (Aggregator is not { } life)
        {
            return;
        }

        CheckStored();
        life.Die();
        Aggregator = null;
        if (isPowerCut)
        {
            AggregatorDisk.CutPower();
        }
        else
        {
            AggregatorDisk.KillProcess();
        }

        _aggregatorStartsAt = Time.Elapsed + down;
    }

    internal void StopAggregator(TimeSpan down)
    {
        if (Aggregator is { } life)
        {
            CheckStored();
            life.Stop();
            Aggregator = null;
            AggregatorDisk.KillProcess();
            _aggregatorStartsAt = Time.Elapsed + down;
        }
    }

    /// <summary>No acknowledged record is missing, none is there twice.</summary>
    internal void CheckStored()
    {
        if (Aggregator is not { } life)
        {
            return;
        }

        foreach (SimulatedAgent agent in Agents)
        {
            IReadOnlyDictionary<long, int> stored = life.Store.Of(agent.Name);
            foreach (long number in agent.Acknowledged)
            {
                int count = stored.GetValueOrDefault(number);
                Require(count == 1, $"{agent.Name}: record {number} ({agent.PlaceOf(number)}) is acknowledged and stored {count} times");
            }

            foreach ((long number, int count) in stored)
            {
                Require(count == 1 && number > 0 && number <= agent.MadeRecords, $"{agent.Name}: record {number} is stored {count} times");
            }
        }
    }

    /// <summary>Everything that did not die in a memory is stored.</summary>
    internal void CheckComplete()
    {
        CheckStored();
        foreach (SimulatedAgent agent in Agents)
        {
            IReadOnlyDictionary<long, int> stored = Aggregator!.Store.Of(agent.Name);
            ulong gone = 0;
            long first = 0;
            for (long number = 1; number <= agent.MadeRecords; number++)
            {
                if (!stored.ContainsKey(number) && !agent.MayBeLost.Contains(number) && !agent.Sacrificed.Contains(number) && !agent.SetAside.Contains(number))
                {
                    gone++;
                    first = gone == 1 ? number : first;
                }
            }

            // Files may be gone without anybody having read them: then only the counts say so.
            ulong given = agent.Spool.Counts.DroppedRecords + agent.Spool.Counts.ThinnedRecords;
            Require(
                gone + (ulong)agent.Sacrificed.Count <= given || gone == 0,
                $"{agent.Name}: {gone} of {agent.MadeRecords} records are not stored, the first is {first} ({agent.PlaceOf(first)}), {agent.Sacrificed.Count} were given up, and the spool says {given}");
        }
    }

    public void Dispose() => Agents.ForEach(static agent => agent.Dispose());

    internal void Require(bool holds, [InterpolatedStringHandlerArgument("holds")] Complaint what)
    {
        if (!holds)
        {
            throw new SimulationException(what.Text);
        }
    }

    private void Step()
    {
        if (_aggregatorStartsAt <= Time.Elapsed)
        {
            StartAggregator();
        }

        foreach (SimulatedAgent agent in Agents)
        {
            agent.Step();
            Require(agent.QueuedBytes <= MostQueuedBytes, $"{agent.Name} has {agent.QueuedBytes} bytes under way");
        }

        Aggregator?.Step();
    }

    private void StartAggregator()
    {
        Aggregator = SimulatedAggregator.TryStart(
            Time, AggregatorDisk, _aggregatorRandom,
            (node, epoch, sequence, reason) => Agents.Find(agent => agent.Name == node)!.MaySetAside(epoch, sequence, reason), out string problem);
        _aggregatorStartsAt = Aggregator is null ? Time.Elapsed + TimeSpan.FromSeconds(5) : null;
        if (Aggregator is null)
        {
            Note($"the aggregator did not start: {problem}");
        }

        CheckStored();
    }
}

/// <summary>A sentence that is made only when it is needed: the checks run millions of times.</summary>
[InterpolatedStringHandler]
internal ref struct Complaint
{
    private DefaultInterpolatedStringHandler _text;

    public Complaint(int literalLength, int formattedCount, bool holds, out bool isWanted)
    {
        isWanted = !holds;
        _text = isWanted ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
    }

    internal string Text => _text.ToStringAndClear();

    public void AppendLiteral(string text) => _text.AppendLiteral(text);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);
}

/// <summary>A promise was broken.</summary>
internal sealed class SimulationException(string message) : Exception(message);
