using System.Numerics;

namespace NodeAgent.Placement.Mig;

/// <summary>
/// A MIG profile on A100/H100 80GB: memory slices, compute slices, and where it may start (NVIDIA MIG user guide, "Supported MIG
/// Profiles"). The state of a device is the mask of used memory slices plus the used compute slices in the bits above.
/// </summary>
public sealed record MigProfile(string Name, int MemorySlices, int ComputeSlices, IReadOnlyList<int> Starts)
{
    /// <summary>Compute slices of a device.</summary>
    public const int AllCompute = 7;

    /// <summary>Bits of the mask of memory slices.</summary>
    public const int MemoryBits = 8;

    /// <summary>Different device states: 256 masks, 0 to 7 compute slices.</summary>
    public const int States = 1 << (MemoryBits + 3);

    /// <summary>The profiles.</summary>
    public static readonly IReadOnlyList<MigProfile> All =
    [
        new("1g.10gb", 1, 1, [0, 1, 2, 3, 4, 5, 6]),
        new("1g.20gb", 2, 1, [0, 2, 4, 6]),
        new("2g.20gb", 2, 2, [0, 2, 4]),
        new("3g.40gb", 4, 3, [0, 4]),
        new("4g.40gb", 4, 4, [0]),
        new("7g.80gb", 8, 7, [0]),
    ];

    /// <summary>A profile by name; null: there is none.</summary>
    public static MigProfile? Find(string name) => All.FirstOrDefault(profile => profile.Name == name);

    /// <summary>What an instance adds to the state of a device.</summary>
    public int Bits(int start) => (((1 << MemorySlices) - 1) << start) | (ComputeSlices << MemoryBits);

    /// <summary>Whether an instance may start there on a device in a state.</summary>
    public bool Fits(int state, int start) =>
        (state & ((1 << MemorySlices) - 1) << start) == 0 && (state >> MemoryBits) + ComputeSlices <= AllCompute;

    /// <summary>Memory slices in use.</summary>
    public static int Used(int state) => BitOperations.PopCount((uint)state & 0xFF);
}
