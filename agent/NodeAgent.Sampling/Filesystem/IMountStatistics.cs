using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Filesystem;

/// <summary>statfs(2), or a captured host's answers.</summary>
internal interface IMountStatistics
{
    /// <summary>False where the call failed.</summary>
    bool TryRead(ReadOnlySpan<byte> pathWithNul, out StatFs statistics);
}

/// <summary>This host's mounts.</summary>
internal sealed class KernelMountStatistics : IMountStatistics
{
    public bool TryRead(ReadOnlySpan<byte> pathWithNul, out StatFs statistics) => LibC.TryStatFs(pathWithNul, out statistics);
}
