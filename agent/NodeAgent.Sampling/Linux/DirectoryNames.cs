namespace NodeAgent.Sampling.Linux;

/// <summary>
/// Notices devices that come and go in a class folder of sysfs without allocating: it hashes the entry names. Folders of sysfs
/// have no usable change time and no inotify events for device creation, so looking is the only way.
/// </summary>
internal sealed class DirectoryNames(string path)
{
    private readonly byte[] _path = KernelDirectory.PathBytes(path);
    private readonly byte[] _buffer = new byte[8 * 1024]; // about 200 entries a call

    /// <summary>A fingerprint of the names, whatever their order. False where the folder does not exist or cannot be read.</summary>
    public bool TryRead(out ulong fingerprint)
    {
        fingerprint = 0;
        using KernelDirectory directory = KernelDirectory.Open(_path, _buffer);
        if (!directory.IsOpen)
        {
            return false;
        }

        while (directory.TryReadEntry(out ReadOnlySpan<byte> name, out _))
        {
            fingerprint += Hash(name);
        }

        return true;
    }

    // FNV-1a, 64 bit (RFC draft-eastlake-fnv): good enough to see a change, and no state.
    private static ulong Hash(ReadOnlySpan<byte> name)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in name)
        {
            hash = (hash ^ b) * 1099511628211;
        }

        return hash;
    }
}
