using System.Buffers.Text;

namespace NodeAgent.Sampling.Network;

/// <summary>A line of /proc/net/softnet_stat: hexadecimal words of 32 bits, one line for each processor that is online.</summary>
internal static class SoftnetParser
{
    public const int Counters = 3;
    private const int CpuWord = 12; // which processor the line is for, since kernel 5.10 (net-procfs.c)

    /// <summary>False where there are fewer than three words. <paramref name="cpu"/> is -1 where the kernel does not say.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, Span<ulong> counters, out int cpu)
    {
        cpu = -1;
        int word = 0;
        while (word <= CpuWord && Utf8Parser.TryParse(line, out uint value, out int consumed, 'x'))
        {
            if (word < Counters)
            {
                counters[word] = value;
            }
            else if (word == CpuWord && value <= int.MaxValue)
            {
                cpu = (int)value;
            }

            word++;
            line = line[consumed..].TrimStart((byte)' ');
        }

        return word >= Counters;
    }
}
