namespace NodeAgent.Placement.Reassignment;

/// <summary>Cost and feasibility of an assignment from its definition, without anything the annealer keeps.</summary>
public static class ReassignmentChecker
{
    /// <summary>Total cost.</summary>
    public static long Cost(ReassignmentModel model, int[] initial, int[] assignment)
    {
        long[] used = Used(model, assignment);
        long cost = 0;
        for (int machine = 0; machine < model.Machines; machine++)
        {
            int row = machine * model.Resources;
            for (int resource = 0; resource < model.Resources; resource++)
            {
                cost += model.LoadWeight[resource] * Math.Max(0, used[row + resource] - model.Safety[row + resource]);
            }

            foreach ((int first, int second, long target, long weight) in model.Balances)
            {
                long left = (target * (model.Capacity[row + first] - used[row + first])) - (model.Capacity[row + second] - used[row + second]);
                cost += weight * Math.Max(0, left);
            }
        }

        int[] moved = new int[model.Services];
        for (int process = 0; process < model.Processes; process++)
        {
            if (assignment[process] != initial[process])
            {
                cost += model.ProcessMoveWeight * model.ProcessMoveCost[process];
                cost += model.MachineMoveWeight * model.MachineMoveCost[(initial[process] * model.Machines) + assignment[process]];
                moved[model.ServiceOf[process]]++;
            }
        }

        return cost + (model.ServiceMoveWeight * moved.Max());
    }

    /// <summary>What is wrong; null: nothing.</summary>
    public static string? Fault(ReassignmentModel model, int[] initial, int[] assignment)
    {
        long[] used = Used(model, assignment);
        for (int process = 0; process < model.Processes; process++)
        {
            for (int resource = 0; resource < model.Resources; resource++)
            {
                // A process that moved still holds transient resources where it was.
                used[(initial[process] * model.Resources) + resource] += model.Transient[resource] && assignment[process] != initial[process] ? model.Needs[(process * model.Resources) + resource] : 0;
            }
        }

        for (int at = 0; at < used.Length; at++)
        {
            if (used[at] > model.Capacity[at])
            {
                return $"machine {at / model.Resources} uses {used[at]} of {model.Capacity[at]} of resource {at % model.Resources}";
            }
        }

        var machines = new HashSet<int>[model.Services];
        var locations = new HashSet<int>[model.Services];
        var neighborhoods = new HashSet<int>[model.Services];
        for (int service = 0; service < model.Services; service++)
        {
            (machines[service], locations[service], neighborhoods[service]) = ([], [], []);
        }

        for (int process = 0; process < model.Processes; process++)
        {
            int service = model.ServiceOf[process];
            if (!machines[service].Add(assignment[process]))
            {
                return $"two processes of service {service} meet on machine {assignment[process]}";
            }

            locations[service].Add(model.Location[assignment[process]]);
            neighborhoods[service].Add(model.Neighborhood[assignment[process]]);
        }

        for (int service = 0; service < model.Services; service++)
        {
            if (locations[service].Count < model.SpreadMin[service])
            {
                return $"service {service} is in {locations[service].Count} locations instead of {model.SpreadMin[service]}";
            }

            foreach (int needed in model.DependsOn[service])
            {
                if (!neighborhoods[service].IsSubsetOf(neighborhoods[needed]))
                {
                    return $"service {service} is in a neighbourhood without service {needed}";
                }
            }
        }

        return null;
    }

    private static long[] Used(ReassignmentModel model, int[] assignment)
    {
        long[] used = new long[model.Machines * model.Resources];
        for (int process = 0; process < model.Processes; process++)
        {
            for (int resource = 0; resource < model.Resources; resource++)
            {
                used[(assignment[process] * model.Resources) + resource] += model.Needs[(process * model.Resources) + resource];
            }
        }

        return used;
    }
}
