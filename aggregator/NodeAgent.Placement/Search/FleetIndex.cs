using System.Runtime.CompilerServices;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Search;

/// <summary>Groups the nodes of a fleet by state and keeps the groups and the scarcity counts current.</summary>
internal sealed class FleetIndex
{
    private readonly FleetState _state;
    private readonly Allocations _allocations;
    private readonly bool _tags;
    private readonly ScarcityPrices? _prices;
    private readonly StateGroup?[] _groupOf;
    private readonly Dictionary<Key, StateGroup> _groups = [];
    private readonly Dictionary<string, Partition> _partitions = new(StringComparer.Ordinal);

    public FleetIndex(FleetState state, Allocations allocations, bool tags, ScarcityPrices? prices)
    {
        (_state, _allocations, _tags, _prices) = (state, allocations, tags, prices);
        _groupOf = new StateGroup?[state.Count];
        for (int node = 0; node < state.Count; node++)
        {
            Refresh(node);
        }
    }

    /// <summary>The partitions; their numbers never change.</summary>
    public List<Partition> Partitions { get; } = [];

    /// <summary>Live states of all models.</summary>
    public int GroupCount => _groups.Count;

    /// <summary>What a node looks like to policies, lanes sorted. False: it takes no new work.</summary>
    public static bool TryState(FleetState fleet, Allocations allocations, bool tags, int node, out NodeState state)
    {
        NodeCondition condition = fleet.Condition(node);
        NodeSpec spec = fleet.Catalog.Nodes[node];
        if (condition.Filter != NodeFilter.None || spec.Mig)
        {
            state = default;
            return false;
        }

        state = new NodeState(fleet.Catalog.ModelOf[node], spec.GpuCount, fleet.Cpu(node), UsableGpus(fleet, node).Sorted(), condition.Risk, tags ? TagsOf(allocations, node) : (ushort)0);
        return true;
    }

    /// <summary>The devices that take new work, in device order.</summary>
    public static GpuLanes UsableGpus(FleetState fleet, int node)
    {
        GpuLanes gpus = fleet.Gpus(node);
        uint derated = fleet.Condition(node).DeratedLanes;
        for (uint rest = derated; rest != 0; rest &= rest - 1)
        {
            int lane = System.Numerics.BitOperations.TrailingZeroCount(rest);
            gpus = gpus.Take(lane, gpus[lane]);
        }

        return gpus;
    }

    /// <summary>Kinds of requests on a node.</summary>
    public static ushort TagsOf(Allocations allocations, int node)
    {
        ushort tags = 0;
        for (int number = allocations.First(node); number >= 0; number = allocations.Next(number))
        {
            tags |= NodeState.TagOf(allocations[number].Demand);
        }

        return tags;
    }

    /// <summary>A node changed: puts it in the group of its new state.</summary>
    public void Refresh(int node)
    {
        StateGroup? before = _groupOf[node];
        bool usable = TryState(_state, _allocations, _tags, node, out NodeState state);
        if (before is not null)
        {
            if (usable && before.State == state)
            {
                before.MemoryBound = Math.Max(before.MemoryBound, _state.Memory(node));
                return;
            }

            Leave(before, node);
        }

        _groupOf[node] = usable ? Enter(state, node) : null;
    }

    private void Leave(StateGroup group, int node)
    {
        bool first = group.Nodes.First == node;
        group.Nodes.Remove(node);
        NodeState state = group.State;
        _prices?.Count(state.Model, state.Cpu, state.Gpus, -1);
        if (group.Nodes.Count == 0)
        {
            _groups.Remove(new Key(state));
            Partitions[group.Partition].Remove(group);
            first = true;
        }

        if (first)
        {
            Partitions[group.Partition].Changed(group.Slot);
        }
    }

    private StateGroup Enter(in NodeState state, int node)
    {
        var key = new Key(state);
        if (!_groups.TryGetValue(key, out StateGroup? group))
        {
            group = PartitionOf(state).Create(state);
            _groups.Add(key, group);
        }

        group.Nodes.Add(node);
        group.MemoryBound = Math.Max(group.MemoryBound, _state.Memory(node));
        _prices?.Count(state.Model, state.Cpu, state.Gpus, +1);
        if (group.Nodes.First == node)
        {
            Partitions[group.Partition].Changed(group.Slot);
        }

        return group;
    }

    private Partition PartitionOf(in NodeState state)
    {
        Span<byte> copies = stackalloc byte[_prices?.Classes ?? 0];
        _prices?.CopiesOf(state.Model, state.Cpu, state.Gpus, copies);
        int whole = copies.IndexOfAnyExcept((byte)0) < 0 ? 0 : state.Gpus.WholeCount;
        string signature = string.Concat((char)state.Model, (char)whole, System.Text.Encoding.Latin1.GetString(copies));
        if (!_partitions.TryGetValue(signature, out Partition? partition))
        {
            partition = new Partition(Partitions.Count, state.Model, copies.ToArray(), whole, _state.Count);
            _partitions.Add(signature, partition);
            Partitions.Add(partition);
        }

        return partition;
    }

    private readonly struct Key(in NodeState state) : IEquatable<Key>
    {
        private readonly NodeState _state = state;

        public bool Equals(Key other) => _state == other._state;

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public override int GetHashCode()
        {
            System.Runtime.Intrinsics.Vector128<ulong> words = System.Runtime.Intrinsics.Vector128.AsUInt64(_state.Gpus.Vector);
            ulong hash = (words[0] ^ ((ulong)(uint)_state.Cpu << 32) ^ ((ulong)_state.Tags << 16) ^ ((ulong)_state.Risk << 8) ^ (uint)_state.Model ^ ((ulong)_state.GpuCount << 26)) * 0x9E3779B97F4A7C15;
            hash = (hash ^ hash >> 32 ^ words[1]) * 0xC2B2AE3D27D4EB4F;
            return (int)(hash >> 32);
        }
    }
}
