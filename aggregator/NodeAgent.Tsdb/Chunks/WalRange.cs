namespace NodeAgent.Tsdb.Chunks;

/// <summary>The ids of the log records that some rows came with.</summary>
/// <param name="First">Smallest; <see cref="ulong.MaxValue"/>: none of the rows is in a log.</param>
/// <param name="Last">Largest; 0: none.</param>
internal readonly record struct WalRange(ulong First, ulong Last)
{
    public static WalRange None { get; } = new(ulong.MaxValue, 0);

    public WalRange With(ulong id) => id == 0 ? this : new WalRange(Math.Min(First, id), Math.Max(Last, id));
}
