namespace NodeAgent.Placement.Reassignment;

/// <summary>
/// Machine reassignment as in the ROADEF/EURO challenge 2012 (Google): processes on machines with several resources, safety capacities,
/// services that must not meet, must spread and depend on each other, and a price on every move. The public yard-stick for re-placement.
/// </summary>
public sealed class ReassignmentModel
{
    public required int Resources { get; init; }

    public required int Machines { get; init; }

    public required int Services { get; init; }

    public required int Processes { get; init; }

    /// <summary>Per resource: a moving process uses it on both machines.</summary>
    public required bool[] Transient { get; init; }

    public required long[] LoadWeight { get; init; }

    public required int[] Neighborhood { get; init; }

    public required int[] Location { get; init; }

    /// <summary>By machine, then resource.</summary>
    public required long[] Capacity { get; init; }

    /// <summary>By machine, then resource: use beyond it costs.</summary>
    public required long[] Safety { get; init; }

    /// <summary>By machine from, then to.</summary>
    public required int[] MachineMoveCost { get; init; }

    public required int[] SpreadMin { get; init; }

    /// <summary>Services that each service needs in its neighbourhood.</summary>
    public required int[][] DependsOn { get; init; }

    public required int[] ServiceOf { get; init; }

    /// <summary>By process, then resource.</summary>
    public required long[] Needs { get; init; }

    public required long[] ProcessMoveCost { get; init; }

    public required (int First, int Second, long Target, long Weight)[] Balances { get; init; }

    public required long ProcessMoveWeight { get; init; }

    public required long ServiceMoveWeight { get; init; }

    public required long MachineMoveWeight { get; init; }

    /// <summary>Reads a model file of the challenge: whitespace-separated integers.</summary>
    /// <exception cref="InvalidDataException">The text ends early or is not numbers.</exception>
    public static ReassignmentModel Read(TextReader reader)
    {
        var numbers = new Numbers(reader.ReadToEnd());
        int resources = numbers.NextInt();
        bool[] transient = new bool[resources];
        long[] loadWeight = new long[resources];
        for (int resource = 0; resource < resources; resource++)
        {
            (transient[resource], loadWeight[resource]) = (numbers.Next() == 1, numbers.Next());
        }

        int machines = numbers.NextInt();
        int[] neighborhood = new int[machines];
        int[] location = new int[machines];
        long[] capacity = new long[machines * resources];
        long[] safety = new long[machines * resources];
        int[] machineMove = new int[machines * machines];
        for (int machine = 0; machine < machines; machine++)
        {
            (neighborhood[machine], location[machine]) = (numbers.NextInt(), numbers.NextInt());
            numbers.Fill(capacity, machine * resources, resources);
            numbers.Fill(safety, machine * resources, resources);
            for (int to = 0; to < machines; to++)
            {
                machineMove[(machine * machines) + to] = numbers.NextInt();
            }
        }

        int services = numbers.NextInt();
        int[] spread = new int[services];
        int[][] depends = new int[services][];
        for (int service = 0; service < services; service++)
        {
            spread[service] = numbers.NextInt();
            depends[service] = new int[numbers.NextInt()];
            for (int at = 0; at < depends[service].Length; at++)
            {
                depends[service][at] = numbers.NextInt();
            }
        }

        int processes = numbers.NextInt();
        int[] serviceOf = new int[processes];
        long[] needs = new long[processes * resources];
        long[] processMove = new long[processes];
        for (int process = 0; process < processes; process++)
        {
            serviceOf[process] = numbers.NextInt();
            numbers.Fill(needs, process * resources, resources);
            processMove[process] = numbers.Next();
        }

        var balances = new (int, int, long, long)[numbers.NextInt()];
        for (int balance = 0; balance < balances.Length; balance++)
        {
            balances[balance] = (numbers.NextInt(), numbers.NextInt(), numbers.Next(), numbers.Next());
        }

        return new ReassignmentModel
        {
            Resources = resources, Machines = machines, Services = services, Processes = processes, Transient = transient, LoadWeight = loadWeight,
            Neighborhood = neighborhood, Location = location, Capacity = capacity, Safety = safety, MachineMoveCost = machineMove, SpreadMin = spread,
            DependsOn = depends, ServiceOf = serviceOf, Needs = needs, ProcessMoveCost = processMove, Balances = balances,
            ProcessMoveWeight = numbers.Next(), ServiceMoveWeight = numbers.Next(), MachineMoveWeight = numbers.Next(),
        };
    }

    /// <summary>Reads an assignment: the machine of each process.</summary>
    public int[] ReadAssignment(TextReader reader)
    {
        var numbers = new Numbers(reader.ReadToEnd());
        int[] assignment = new int[Processes];
        for (int process = 0; process < Processes; process++)
        {
            assignment[process] = numbers.NextInt();
        }

        return assignment;
    }

    private sealed class Numbers(string text)
    {
        private int _at;

        public long Next()
        {
            while (_at < text.Length && char.IsWhiteSpace(text[_at]))
            {
                _at++;
            }

            int start = _at;
            while (_at < text.Length && !char.IsWhiteSpace(text[_at]))
            {
                _at++;
            }

            return long.TryParse(text.AsSpan(start, _at - start), out long value) ? value : throw new InvalidDataException($"no number at character {start}");
        }

        public int NextInt() => checked((int)Next());

        public void Fill(long[] target, int start, int count)
        {
            for (int at = start; at < start + count; at++)
            {
                target[at] = Next();
            }
        }
    }
}
