namespace NodeAgent.Sampling.Linux;

/// <summary>
/// The bytes that <see cref="KernelFile"/> reads into. One buffer serves any number of files whose content is parsed before the
/// next is read, so that hundreds of small files (one set per cgroup, per core) do not each keep a page.
/// Grows, outside the steady state, up to a stated limit. Not thread-safe.
/// </summary>
/// <param name="initialBytes">First size; choose it so that growing is rare.</param>
/// <param name="maxBytes">Limit of growth.</param>
public sealed class KernelBuffer(int initialBytes = 4096, int maxBytes = 4 * 1024 * 1024)
{
    internal byte[] Bytes { get; private set; } = new byte[initialBytes];

    internal bool TryGrow()
    {
        if (Bytes.Length >= maxBytes)
        {
            return false;
        }

        byte[] larger = new byte[Math.Min(maxBytes, Bytes.Length * 2)];
        Bytes.CopyTo(larger, 0);
        Bytes = larger;
        return true;
    }
}
