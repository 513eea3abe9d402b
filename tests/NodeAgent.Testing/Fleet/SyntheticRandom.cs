namespace NodeAgent.Testing.Fleet;

/// <summary>A small fast generator (xorshift64*, Vigna 2016, arXiv:1402.6246): one call costs about a nanosecond, and a seed is a number.</summary>
internal struct SyntheticRandom
{
    private ulong _state;

    /// <param name="seed">Any number; similar seeds give unrelated streams.</param>
    public SyntheticRandom(ulong seed)
    {
        // One step of SplitMix64, so that neighbouring seeds do not begin alike.
        ulong mixed = seed + 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        _state = (mixed ^ (mixed >> 31)) | 1;
    }

    public ulong Next()
    {
        _state ^= _state >> 12;
        _state ^= _state << 25;
        _state ^= _state >> 27;
        return _state * 0x2545F4914F6CDD1D;
    }

    /// <summary>0 to below the bound.</summary>
    public int Below(int bound) => (int)BigMul(Next(), (ulong)bound);

    /// <summary>0 to below 1, 53 bits.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>About normal with mean 0 and deviation 1: the sum of four uniform numbers, which noise does not mind.</summary>
    public double Noise()
    {
        ulong bits = Next();
        int sum = (int)((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48));
        return (sum - 131_070) / 37_837.0; // deviation of the sum of four uniform 16-bit numbers
    }

    private static ulong BigMul(ulong left, ulong right) => Math.BigMul(left, right, out _);
}
