using NodeAgent.Sampling.Filesystem;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Tests.Hosts;

/// <summary>Mounts of a captured host: sizes made from the path, so that each mount has its own, and an error under /broken.</summary>
internal sealed class FixedMounts : IMountStatistics
{
    public bool TryRead(ReadOnlySpan<byte> pathWithNul, out StatFs statistics)
    {
        ulong size = 1000;
        foreach (byte b in pathWithNul)
        {
            size += b;
        }

        statistics = new StatFs
        {
            BlockSize = 4096,
            Blocks = size,
            BlocksFree = size / 2,
            BlocksAvailable = size / 4,
            Files = size * 2,
            FilesFree = size,
        };
        return !pathWithNul.StartsWith("/broken"u8);
    }
}
