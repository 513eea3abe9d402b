namespace NodeAgent.Journal.Files;

/// <summary>
/// Proves at start-up that a failing sync would be seen. .NET 10.0.12 on Linux returns normally from
/// <c>FileStream.Flush(true)</c> and <c>RandomAccess.FlushToDisk</c> when fsync(2) fails, so a promise of durability needs more than
/// an API that never complains: here every route to the disk must report the failure that it is certain to meet.
/// </summary>
public static class SyncSelfTest
{
    /// <summary>Null when failures are visible, else the call that hides them.</summary>
    public static string? Run(IFileOps files)
    {
        if (files.Sync(IFileOps.NoHandle).Ok) return "fsync of a handle that is not open reports success";
        if (files.SyncData(IFileOps.NoHandle).Ok) return "fdatasync of a handle that is not open reports success";
        if (files.Write(IFileOps.NoHandle, [0], 0).Ok) return "a write to a handle that is not open reports success";
        if (files.SyncOfUnsyncable().Ok) return "fsync of what cannot be synced reports success";
        return null;
    }
}
