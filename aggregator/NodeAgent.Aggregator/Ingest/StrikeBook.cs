namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Counts how often a node has sent the same thing that cannot be read. The first times its stream is ended: what the way here has
/// damaged comes whole the next time. What comes broken for the third time is broken at its source and is set aside.
/// </summary>
internal sealed class StrikeBook
{
    internal const int Most = 3;

    // A node has one poison at a time, or its agent is broken altogether.
    private const int Capacity = 64;

    private readonly Dictionary<(ulong Epoch, ulong Key), int> _strikes = [];
    private readonly Queue<(ulong, ulong)> _order = [];

    /// <summary>Counts one; true: it is the third.</summary>
    internal bool IsOut(ulong epoch, ulong key)
    {
        if (!_strikes.TryGetValue((epoch, key), out int strikes))
        {
            _order.Enqueue((epoch, key));
            if (_order.Count > Capacity)
            {
                _strikes.Remove(_order.Dequeue());
            }
        }

        _strikes[(epoch, key)] = strikes + 1;
        return strikes + 1 >= Most;
    }

    /// <summary>A key for something without a readable sequence: FNV-1a of its bytes, marked so that it is no sequence.</summary>
    internal static ulong KeyOf(ReadOnlySpan<byte> message)
    {
        ulong hash = 14_695_981_039_346_656_037;
        foreach (byte b in message)
        {
            hash = (hash ^ b) * 1_099_511_628_211;
        }

        return hash | (1UL << 63);
    }
}
