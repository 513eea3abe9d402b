using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Reassignment;

/// <summary>What an annealing run found.</summary>
/// <param name="Assignment">Best assignment seen.</param>
/// <param name="Cost">Its cost.</param>
/// <param name="Tried">Moves tried.</param>
public sealed record AnnealingResult(int[] Assignment, long Cost, long Tried);

/// <summary>
/// Simulated annealing over shifts and swaps, several coolings one after the other, each from the best so far and cooler than the last.
/// The first temperature is calibrated on the instance: the mean worsening of a random allowed move, times a factor.
/// </summary>
public sealed class Annealer(ReassignmentModel model, int[] initial, ulong seed)
{
    private const int Batch = 1024;
    private const int Contests = 3;
    private const int Calibration = 20_000;

    private SplitMix _random = new(seed);

    /// <summary>Share of moves that are shifts; the others are swaps.</summary>
    public double Shifts { get; init; } = 0.5;

    /// <summary>First temperature over the mean worsening.</summary>
    public double Heat { get; init; } = 50;

    /// <summary>Last temperature over the first.</summary>
    public double Cold { get; init; } = 1e-6;

    /// <summary>Share of the time that each cooling takes.</summary>
    public IReadOnlyList<double> Coolings { get; init; } = [0.8, 0.2];

    /// <summary>Runs until the progress reaches one.</summary>
    /// <param name="progress">0 to 1: time or work spent. Called every <see cref="Batch"/> moves; with a count of work the run is repeatable.</param>
    public AnnealingResult Run(Func<long, double> progress)
    {
        var state = new ReassignmentState(model, initial, initial);
        int[] best = [.. initial];
        long bestCost = state.Cost;
        double hot = Heat * MeanWorsening(state);
        long tried = 0;
        double start = 0;
        for (int cooling = 0; cooling < Coolings.Count; cooling++)
        {
            double length = Coolings[cooling];
            double from = hot * Math.Pow(0.1, cooling);
            double to = hot * Cold;
            for (double done = progress(tried); done < start + length && done < 1; done = progress(tried))
            {
                double temperature = from * Math.Pow(to / from, (done - start) / length);
                for (int step = 0; step < Batch; step++)
                {
                    Try(state, temperature);
                }

                // Looking once a batch costs a little of the best while hot, nothing when cold, and saves copying all processes at each step down.
                if (state.Cost < bestCost)
                {
                    bestCost = state.Cost;
                    state.Assignment.CopyTo(best, 0);
                }

                tried += Batch;
            }

            start += length;
            state = new ReassignmentState(model, initial, best);
        }

        return new AnnealingResult(best, bestCost, tried);
    }

    private void Try(ReassignmentState state, double temperature)
    {
        int process = Costly(state);
        if (_random.NextDouble() < Shifts)
        {
            int to = _random.Next(model.Machines);
            if (state.CanShift(process, to) && Accept(state.ShiftDelta(process, to), temperature))
            {
                state.Move(process, to);
            }

            return;
        }

        int other = _random.Next(model.Processes);
        if (!state.CanSwap(process, other))
        {
            return;
        }

        (int a, int b) = (state.Assignment[process], state.Assignment[other]);
        long before = state.Cost;
        state.Move(process, b);
        state.Move(other, a);
        if (!Accept(state.Cost - before, temperature))
        {
            state.Move(other, b);
            state.Move(process, a);
        }
    }

    // Half of the time a process of a costly machine: where there is most to gain.
    private int Costly(ReassignmentState state)
    {
        int process = _random.Next(model.Processes);
        for (int contest = _random.Next(2) * Contests; contest > 0; contest--)
        {
            int other = _random.Next(model.Processes);
            process = state.MachineCost(state.Assignment[other]) > state.MachineCost(state.Assignment[process]) ? other : process;
        }

        return process;
    }

    private bool Accept(long delta, double temperature) => delta <= 0 || _random.NextDouble() < Math.Exp(-delta / temperature);

    private double MeanWorsening(ReassignmentState state)
    {
        double sum = 0;
        int count = 0;
        for (int step = 0; step < Calibration; step++)
        {
            (int process, int to) = (_random.Next(model.Processes), _random.Next(model.Machines));
            if (state.CanShift(process, to) && state.ShiftDelta(process, to) is > 0 and long delta)
            {
                sum += delta;
                count++;
            }
        }

        return count == 0 ? 1 : sum / count;
    }
}
