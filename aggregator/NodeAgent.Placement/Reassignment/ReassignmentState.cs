namespace NodeAgent.Placement.Reassignment;

/// <summary>An assignment with everything that makes the cost and feasibility of a move a matter of nanoseconds.</summary>
internal sealed class ReassignmentState
{
    private readonly ReassignmentModel _model;
    private readonly int[] _initial;
    private readonly long[] _used;      // by machine and resource, for the cost
    private readonly long[] _reserved;  // the same with transient leftovers, for the capacity
    private readonly long[] _machineCost;
    private readonly byte[] _onMachine; // service x machine
    private readonly ushort[] _inLocation; // service x location
    private readonly ushort[] _inNeighborhood; // service x neighbourhood
    private readonly int[] _spread;
    private readonly int[][] _dependents;
    private readonly int[] _movedOf;
    private readonly int[] _servicesWithMoved;
    private readonly int _locations;
    private readonly int _neighborhoods;
    private readonly int _resources;
    private int _mostMoved;

    public ReassignmentState(ReassignmentModel model, int[] initial, int[] assignment)
    {
        (_model, _initial, _resources) = (model, initial, model.Resources);
        Assignment = [.. initial];
        (_locations, _neighborhoods) = (model.Location.Max() + 1, model.Neighborhood.Max() + 1);
        _used = new long[model.Machines * _resources];
        _reserved = new long[model.Machines * _resources];
        _machineCost = new long[model.Machines];
        _onMachine = new byte[model.Services * model.Machines];
        _inLocation = new ushort[model.Services * _locations];
        _inNeighborhood = new ushort[model.Services * _neighborhoods];
        _spread = new int[model.Services];
        _movedOf = new int[model.Services];
        _servicesWithMoved = new int[model.Processes + 2];
        _servicesWithMoved[0] = model.Services;
        var dependents = new List<int>[model.Services];
        for (int service = 0; service < model.Services; service++)
        {
            dependents[service] = [];
        }

        for (int service = 0; service < model.Services; service++)
        {
            foreach (int needed in model.DependsOn[service])
            {
                dependents[needed].Add(service);
            }
        }

        _dependents = [.. dependents.Select(list => list.ToArray())];
        for (int process = 0; process < model.Processes; process++)
        {
            AddUse(_reserved, process, initial[process], +1);
            AddUse(_used, process, initial[process], +1);
            Enter(process, initial[process]);
        }

        for (int machine = 0; machine < model.Machines; machine++)
        {
            Cost += _machineCost[machine] = CostOf(machine);
        }

        for (int process = 0; process < model.Processes; process++)
        {
            if (assignment[process] != initial[process])
            {
                Move(process, assignment[process]);
            }
        }
    }

    public int[] Assignment { get; }

    public long Cost { get; private set; }

    /// <summary>Whether a process could go to a machine; everything else stays.</summary>
    public bool CanShift(int process, int to)
    {
        int from = Assignment[process];
        int service = _model.ServiceOf[process];
        return from != to && _onMachine[(service * _model.Machines) + to] == 0 && HasRoom(process, to) && KeepsSpread(service, from, to) && KeepsDependencies(service, from, to);
    }

    /// <summary>What a shift would change the cost by.</summary>
    public long ShiftDelta(int process, int to)
    {
        int from = Assignment[process];
        AddUse(_used, process, from, -1);
        AddUse(_used, process, to, +1);
        long delta = CostOf(from) - _machineCost[from] + CostOf(to) - _machineCost[to];
        AddUse(_used, process, from, +1);
        AddUse(_used, process, to, -1);
        return delta + MoveDelta(process, from, to);
    }

    /// <summary>Does a shift, whether allowed or not.</summary>
    public void Move(int process, int to)
    {
        int from = Assignment[process];
        Cost += MoveDelta(process, from, to) - _machineCost[from] - _machineCost[to];
        AddUse(_used, process, from, -1);
        AddUse(_used, process, to, +1);
        AddReserved(process, from, -1);
        AddReserved(process, to, +1);
        Leave(process, from);
        Enter(process, to);
        CountMoved(_model.ServiceOf[process], (to != _initial[process] ? 1 : 0) - (from != _initial[process] ? 1 : 0));
        Assignment[process] = to;
        Cost += (_machineCost[from] = CostOf(from)) + (_machineCost[to] = CostOf(to));
    }

    /// <summary>Whether two processes could change places. Tries it in the state, so it is dearer than <see cref="CanShift"/>.</summary>
    public bool CanSwap(int first, int second)
    {
        (int a, int b) = (Assignment[first], Assignment[second]);
        (int s, int t) = (_model.ServiceOf[first], _model.ServiceOf[second]);
        if (a == b || s == t || _onMachine[(s * _model.Machines) + b] != 0 || _onMachine[(t * _model.Machines) + a] != 0 || !SwapHasRoom(first, second, a, b))
        {
            return false;
        }

        // With the first gone, the second is judged where it would stand, and the other way round; then both once more together.
        Leave(first, a);
        Leave(second, b);
        Enter(first, b);
        Enter(second, a);
        bool allowed = _spread[s] >= _model.SpreadMin[s] && _spread[t] >= _model.SpreadMin[t] && Satisfied(s, a, b) && Satisfied(t, b, a);
        Leave(first, b);
        Leave(second, a);
        Enter(first, a);
        Enter(second, b);
        return allowed;
    }

    /// <summary>Cost of a machine now.</summary>
    public long MachineCost(int machine) => _machineCost[machine];

    private bool HasRoom(int process, int to)
    {
        bool home = _initial[process] == to;
        int needs = process * _resources, row = to * _resources;
        for (int resource = 0; resource < _resources; resource++)
        {
            if ((!home || !_model.Transient[resource]) && _reserved[row + resource] + _model.Needs[needs + resource] > _model.Capacity[row + resource])
            {
                return false;
            }
        }

        return true;
    }

    private bool SwapHasRoom(int first, int second, int a, int b)
    {
        for (int resource = 0; resource < _resources; resource++)
        {
            long one = _model.Needs[(first * _resources) + resource], other = _model.Needs[(second * _resources) + resource];
            bool transient = _model.Transient[resource];

            // What leaves frees nothing transient at its first home; what comes home brings nothing new.
            long atB = (transient && _initial[first] == b ? 0 : one) - (transient && _initial[second] == b ? 0 : other);
            long atA = (transient && _initial[second] == a ? 0 : other) - (transient && _initial[first] == a ? 0 : one);
            if (_reserved[(b * _resources) + resource] + atB > _model.Capacity[(b * _resources) + resource] || _reserved[(a * _resources) + resource] + atA > _model.Capacity[(a * _resources) + resource])
            {
                return false;
            }
        }

        return true;
    }

    private bool KeepsSpread(int service, int from, int to)
    {
        (int leaving, int entering) = (_model.Location[from], _model.Location[to]);
        if (leaving == entering || _spread[service] > _model.SpreadMin[service])
        {
            return true;
        }

        int after = _spread[service] - (_inLocation[(service * _locations) + leaving] == 1 ? 1 : 0) + (_inLocation[(service * _locations) + entering] == 0 ? 1 : 0);
        return after >= _model.SpreadMin[service];
    }

    private bool KeepsDependencies(int service, int from, int to)
    {
        (int leaving, int entering) = (_model.Neighborhood[from], _model.Neighborhood[to]);
        if (leaving == entering)
        {
            return true;
        }

        foreach (int needed in _model.DependsOn[service])
        {
            if (_inNeighborhood[(needed * _neighborhoods) + entering] == 0)
            {
                return false;
            }
        }

        if (_inNeighborhood[(service * _neighborhoods) + leaving] > 1)
        {
            return true;
        }

        foreach (int dependent in _dependents[service])
        {
            if (_inNeighborhood[(dependent * _neighborhoods) + leaving] > 0)
            {
                return false;
            }
        }

        return true;
    }

    // After a swap: what the service needs is where it went, and whoever needs it is not left behind.
    private bool Satisfied(int service, int from, int to)
    {
        (int leaving, int entering) = (_model.Neighborhood[from], _model.Neighborhood[to]);
        foreach (int needed in _model.DependsOn[service])
        {
            if (_inNeighborhood[(needed * _neighborhoods) + entering] == 0)
            {
                return false;
            }
        }

        if (_inNeighborhood[(service * _neighborhoods) + leaving] > 0)
        {
            return true;
        }

        foreach (int dependent in _dependents[service])
        {
            if (_inNeighborhood[(dependent * _neighborhoods) + leaving] > 0)
            {
                return false;
            }
        }

        return true;
    }

    private long CostOf(int machine)
    {
        int row = machine * _resources;
        long cost = 0;
        for (int resource = 0; resource < _resources; resource++)
        {
            long over = _used[row + resource] - _model.Safety[row + resource];
            cost += over > 0 ? over * _model.LoadWeight[resource] : 0;
        }

        foreach ((int first, int second, long target, long weight) in _model.Balances)
        {
            long lacking = (target * (_model.Capacity[row + first] - _used[row + first])) - (_model.Capacity[row + second] - _used[row + second]);
            cost += lacking > 0 ? lacking * weight : 0;
        }

        return cost;
    }

    private long MoveDelta(int process, int from, int to)
    {
        int home = _initial[process] * _model.Machines;
        long delta = _model.MachineMoveWeight * (_model.MachineMoveCost[home + to] - _model.MachineMoveCost[home + from]);
        int moved = (to != _initial[process] ? 1 : 0) - (from != _initial[process] ? 1 : 0);
        if (moved == 0)
        {
            return delta;
        }

        int count = _movedOf[_model.ServiceOf[process]];
        int most = moved > 0 ? Math.Max(_mostMoved, count + 1) : count == _mostMoved && _servicesWithMoved[count] == 1 ? count - 1 : _mostMoved;
        return delta + (moved * _model.ProcessMoveWeight * _model.ProcessMoveCost[process]) + (_model.ServiceMoveWeight * (most - _mostMoved));
    }

    private void CountMoved(int service, int change)
    {
        if (change == 0)
        {
            return;
        }

        int before = _movedOf[service];
        _servicesWithMoved[before]--;
        int after = _movedOf[service] = before + change;
        _servicesWithMoved[after]++;
        _mostMoved = after > _mostMoved ? after : before == _mostMoved && _servicesWithMoved[before] == 0 ? before - 1 : _mostMoved;
    }

    private void AddUse(long[] use, int process, int machine, int sign)
    {
        int needs = process * _resources, row = machine * _resources;
        for (int resource = 0; resource < _resources; resource++)
        {
            use[row + resource] += sign * _model.Needs[needs + resource];
        }
    }

    private void AddReserved(int process, int machine, int sign)
    {
        bool home = _initial[process] == machine;
        int needs = process * _resources, row = machine * _resources;
        for (int resource = 0; resource < _resources; resource++)
        {
            _reserved[row + resource] += home && _model.Transient[resource] ? 0 : sign * _model.Needs[needs + resource];
        }
    }

    private void Enter(int process, int machine)
    {
        int service = _model.ServiceOf[process];
        _onMachine[(service * _model.Machines) + machine]++;
        _spread[service] += _inLocation[(service * _locations) + _model.Location[machine]]++ == 0 ? 1 : 0;
        _inNeighborhood[(service * _neighborhoods) + _model.Neighborhood[machine]]++;
    }

    private void Leave(int process, int machine)
    {
        int service = _model.ServiceOf[process];
        _onMachine[(service * _model.Machines) + machine]--;
        _spread[service] -= --_inLocation[(service * _locations) + _model.Location[machine]] == 0 ? 1 : 0;
        _inNeighborhood[(service * _neighborhoods) + _model.Neighborhood[machine]]--;
    }
}
