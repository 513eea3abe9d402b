namespace NodeAgent.Fuzz;

/// <summary>Inputs near the seeds; the same seed number gives the same inputs.</summary>
internal sealed class Mutator(IReadOnlyList<byte[]> seeds, int seed)
{
    private const int MaxLength = 64 * 1024; // splices would otherwise grow without end
    private readonly Random _random = new(seed);

    public byte[] Next()
    {
        var input = new List<byte>(seeds[_random.Next(seeds.Count)]);
        for (int left = _random.Next(1, 6); left > 0; left--)
        {
            Mutate(input);
        }

        return [.. input.Take(MaxLength)];
    }

    private void Mutate(List<byte> input)
    {
        int at = _random.Next(input.Count + 1);
        switch (_random.Next(4))
        {
            case 0 when at < input.Count:
                input[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1:
                input.RemoveRange(at, _random.Next(input.Count - at + 1));
                break;
            case 2:
                byte[] other = seeds[_random.Next(seeds.Count)];
                input.InsertRange(at, other.Take(_random.Next(other.Length + 1)));
                break;
            default:
                input.Insert(at, (byte)_random.Next(256));
                break;
        }
    }
}
