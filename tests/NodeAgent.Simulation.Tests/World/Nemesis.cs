using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Simulation.Tests.World;

/// <summary>
/// Does harm at random moments of a simulation, and takes it back after a while. Each seed draws its own few kinds of harm (swarm testing:
/// a mixture of everything hides what two kinds together bring out).
/// </summary>
internal sealed class Nemesis
{
    private readonly Simulation _world;
    private readonly Random _random;
    private readonly List<Action> _kinds;
    private readonly List<(TimeSpan At, Action Do)> _later = [];

    internal Nemesis(Simulation world, Harm kinds)
    {
        _world = world;
        _random = world.Random;
        List<Action> all = [];
        Offer(all, kinds, Harm.Process, KillAgent, KillAggregator, StopAggregator);
        Offer(all, kinds, Harm.Power, CutAgentPower, CutAggregatorPower);
        Offer(all, kinds, Harm.Network, Refuse, Deafen, DeafenOneWay, Swizzle, Slow, Reset);
        Offer(all, kinds, Harm.AggregatorDisk, FillAggregatorDisk, FailAggregatorDisk);
        Offer(all, kinds, Harm.AgentDisk, FillAgentDisk, FailAgentDisk);
        Offer(all, kinds, Harm.Clock, StepClock, FreezeClock);
        _kinds = [.. all.Where(_ => Chance(0.5))];
        if (_kinds.Count == 0)
        {
            _kinds.Add(all[Next(all.Count)]);
        }
    }

    /// <summary>Harms for a while, then takes all of it back.</summary>
    internal void Rage(TimeSpan time)
    {
        TimeSpan end = _world.Time.Elapsed + time;
        while (_world.Time.Elapsed < end)
        {
            _world.RunFor(TimeSpan.FromSeconds(0.05 + (8 * Share() * Share())));
            TakeBack(_world.Time.Elapsed);
            _kinds[Next(_kinds.Count)]();
        }

        while (_later.Count > 0)
        {
            _world.RunFor(TimeSpan.FromSeconds(0.5));
            TakeBack(_world.Time.Elapsed);
        }
    }

    private static void Offer(List<Action> all, Harm wanted, Harm kind, params Action[] actions)
    {
        if ((wanted & kind) != 0)
        {
            all.AddRange(actions);
        }
    }

    private void TakeBack(TimeSpan now)
    {
        foreach ((TimeSpan _, Action undo) in _later.Where(one => one.At <= now).ToArray())
        {
            undo();
        }

        _later.RemoveAll(one => one.At <= now);
    }

    private void Later(double mostSeconds, Action undo) => _later.Add((_world.Time.Elapsed + TimeSpan.FromSeconds(mostSeconds * Share()), undo));

    private void KillAgent()
    {
        SimulatedAgent agent = Agent();
        if (agent.IsAlive)
        {
            _world.Note($"kill {agent.Name}");
            agent.Kill();
            Later(10, agent.Start);
        }
    }

    private void CutAgentPower()
    {
        SimulatedAgent agent = Agent();
        if (agent.IsAlive)
        {
            _world.Note($"cut the power of {agent.Name}");
            agent.CutPower();
            Later(20, agent.Start);
        }
    }

    private void KillAggregator()
    {
        _world.Note("kill the aggregator");
        _world.KillAggregator(isPowerCut: false, TimeSpan.FromSeconds(10 * Share()));
    }

    private void CutAggregatorPower()
    {
        _world.Note("cut the aggregator's power");
        _world.KillAggregator(isPowerCut: true, TimeSpan.FromSeconds(20 * Share()));
    }

    private void StopAggregator()
    {
        _world.Note("stop the aggregator");
        _world.StopAggregator(TimeSpan.FromSeconds(30 * Share()));
    }

    private void Refuse()
    {
        foreach (SimulatedAgent agent in Chance(0.5) ? _world.Agents : [Agent()])
        {
            _world.Note($"refuse connections of {agent.Name}");
            agent.Weather.IsRefusing = true;
            agent.ResetConnections();
            Later(30, () => agent.Weather.IsRefusing = false);
        }
    }

    private void Deafen()
    {
        SimulatedAgent agent = Agent();
        _world.Note($"silence on the line of {agent.Name}");
        agent.Weather.IsDeafUp = agent.Weather.IsDeafDown = true;
        Later(30, () => agent.Weather.IsDeafUp = agent.Weather.IsDeafDown = false);
    }

    private void DeafenOneWay()
    {
        SimulatedAgent agent = Agent();
        bool isUp = Chance(0.5);
        _world.Note($"silence {(isUp ? "towards" : "from")} the aggregator for {agent.Name}");
        agent.Weather.IsDeafUp |= isUp;
        agent.Weather.IsDeafDown |= !isUp;
        Later(30, () => agent.Weather.IsDeafUp = agent.Weather.IsDeafDown = false);
    }

    // FoundationDB's swizzle-clogging: stop the links one by one, and let them go in another order.
    private void Swizzle()
    {
        _world.Note("swizzle all links");
        foreach (SimulatedAgent agent in _world.Agents)
        {
            _later.Add((_world.Time.Elapsed + TimeSpan.FromSeconds(10 * Share()), () => agent.Weather.IsDeafUp = agent.Weather.IsDeafDown = true));
            _later.Add((_world.Time.Elapsed + TimeSpan.FromSeconds(10 + (20 * Share())), () => agent.Weather.IsDeafUp = agent.Weather.IsDeafDown = false));
        }
    }

    private void Slow()
    {
        SimulatedAgent agent = Agent();
        _world.Note($"slow line of {agent.Name}");
        agent.Weather.Latency = TimeSpan.FromSeconds(2 * Share());
        agent.Weather.Jitter = TimeSpan.FromSeconds(2 * Share());
        Later(30, () => agent.Weather.Latency = agent.Weather.Jitter = TimeSpan.FromMilliseconds(1));
    }

    private void Reset()
    {
        SimulatedAgent agent = Agent();
        _world.Note($"reset the connection of {agent.Name}");
        agent.ResetConnections();
    }

    private void FillAggregatorDisk()
    {
        _world.Note("the aggregator's disk is full");
        _world.AggregatorDisk.CapacityBytes = _world.AggregatorDisk.UsedBytes + Next(20_000);
        Later(20, () => _world.AggregatorDisk.CapacityBytes = long.MaxValue);
    }

    private void FailAggregatorDisk() => FailDisk(_world.AggregatorDisk, "the aggregator");

    private void FillAgentDisk()
    {
        SimulatedAgent agent = Agent();
        _world.Note($"the disk of {agent.Name} is full");
        agent.Disk.CapacityBytes = agent.Disk.UsedBytes + Next(20_000);
        Later(20, () => agent.Disk.CapacityBytes = long.MaxValue);
    }

    private void FailAgentDisk()
    {
        SimulatedAgent agent = Agent();
        FailDisk(agent.Disk, agent.Name);
    }

    private void FailDisk(SimulatedDisk disk, string whose)
    {
        int calls = Chance(0.5) ? 1 : 1 + Next(50);
        disk.Fault = new DiskFault(DiskFaultKind.Error, disk.Calls + 1 + Next(10), Chance(0.5) ? Errno.InputOutput : Errno.NoSpace, calls);
        _world.Note($"the disk of {whose}: {disk.Fault}");
        Later(15, () => disk.Fault = null);
    }

    private void StepClock()
    {
        SimulatedAgent agent = Agent();
        TimeSpan[] steps = [TimeSpan.FromHours(3), TimeSpan.FromHours(-3), TimeSpan.FromDays(400), TimeSpan.FromDays(-20_000), TimeSpan.FromMinutes(7)];
        agent.Clock.Offset = steps[Next(steps.Length)];
        _world.Note($"clock of {agent.Name} is off by {agent.Clock.Offset}");
        Later(30, () => agent.Clock.Offset = TimeSpan.Zero);
    }

    private void FreezeClock()
    {
        SimulatedAgent agent = Agent();
        _world.Note($"clock of {agent.Name} stands still");
        agent.Clock.IsFrozen = true;
        Later(30, () => agent.Clock.IsFrozen = false);
    }

    private SimulatedAgent Agent() => _world.Agents[Next(_world.Agents.Count)];

#pragma warning disable CA5394 // Not for secrets: it is the seed that matters.
    private int Next(int below) => _random.Next(below);

    private double Share() => _random.NextDouble();

    private bool Chance(double share) => _random.NextDouble() < share;
#pragma warning restore CA5394
}

/// <summary>Kinds of harm.</summary>
[Flags]
internal enum Harm
{
    None = 0,
    Process = 1,
    Power = 2,
    Network = 4,
    AggregatorDisk = 8,
    AgentDisk = 16,
    Clock = 32,
    All = Process | Power | Network | AggregatorDisk | AgentDisk | Clock,
}
