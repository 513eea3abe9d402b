namespace NodeAgent.Nvml;

/// <summary>
/// What a GPU is known not to have, so that it is not asked every second. Valid for one (UUID, driver version, MIG state): with another
/// driver or layout everything is asked again. Calls and fields are numbered by whoever asks.
/// </summary>
public sealed class CapabilityCache(int size)
{
    private readonly ulong[] _absent = new ulong[(size + 63) / 64];
    private CapabilityKey _key;

    /// <summary>Starts over unless it is about the same GPU, driver and layout.</summary>
    public void Use(CapabilityKey key)
    {
        if (_key != key)
        {
            _key = key;
            Array.Clear(_absent);
        }
    }

    /// <summary>Whether it is worth asking.</summary>
    public bool MayHave(int number) => (_absent[number >> 6] & (1UL << (number & 63))) == 0;

    /// <summary>Remembers an answer that will not change; any other is not remembered. Gives whether there is a value.</summary>
    public bool Learn(int number, NvmlReturn answer)
    {
        if (answer.IsAbsent())
        {
            _absent[number >> 6] |= 1UL << (number & 63);
        }

        return answer == NvmlReturn.Success;
    }

    /// <summary>How much is known to be absent.</summary>
    public int AbsentCount => _absent.Sum(word => System.Numerics.BitOperations.PopCount(word));
}

/// <summary>What capabilities depend on.</summary>
/// <param name="Uuid">The GPU.</param>
/// <param name="Driver">Its driver's version.</param>
/// <param name="IsMig">Whether MIG is on.</param>
public readonly record struct CapabilityKey(string Uuid, string Driver, bool IsMig);
