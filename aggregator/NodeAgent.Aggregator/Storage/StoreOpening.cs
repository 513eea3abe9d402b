using System.Diagnostics.CodeAnalysis;
using NodeAgent.Aggregator.Configuration;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Storage;

/// <summary>The durable store as the settings want it.</summary>
internal static class StoreOpening
{
    private const long MostMinFreeBytes = 2L << 30;
    private const int FreeShareOfDisk = 20; // a twentieth

    // Room for what a tool's clock and the maintenance interval are apart, beyond what ingest itself lets pass.
    private const long AheadSlackMs = 60_000;

    internal static string DirectoryOf(AggregatorOptions options) => options.Store.Directory ?? Path.Combine(options.State.Directory, "store");

    /// <param name="options">The aggregator's.</param>
    /// <param name="maxAheadMs">How far ahead of the clock ingest lets records pass.</param>
    /// <param name="time">For the manifest's journal.</param>
    /// <param name="store">Null: it did not open.</param>
    /// <param name="error">Why.</param>
    internal static bool TryOpen(
        AggregatorOptions options, long maxAheadMs, TimeProvider time, [NotNullWhen(true)] out DurableStore? store, [NotNullWhen(false)] out OpenError? error)
    {
        string directory = DirectoryOf(options);
        StoreSettings settings = options.Store;
        return DurableStore.TryOpen(
            new DurableStoreOptions
            {
                Directory = directory,
                RawRetentionMs = (long)settings.RawRetention.TotalMilliseconds,
                MinuteRetentionMs = (long)settings.MinuteRetention.TotalMilliseconds,
                HourRetentionMs = (long)settings.HourRetention.TotalMilliseconds,
                MaxLateMs = (long)settings.LateWindow.TotalMilliseconds,
                FlushIntervalMs = (long)settings.FlushInterval.TotalMilliseconds,
                MaxAheadMs = maxAheadMs + AheadSlackMs,
                MaxDiskBytes = settings.MaxBytes ?? long.MaxValue,
                MinFreeBytes = settings.MinFreeBytes ?? DefaultMinFreeBytes(directory),
                FreeBytes = () => FreeBytes(directory),
                PackClosedDays = settings.PackClosedDays,
                MaxInactiveSeries = settings.MaxInactiveSeries,
                Quota = new FixedSeriesQuota(settings.MaxSeriesPerNode),
            },
            FileOps.ForThisMachine(), time, out store, out error);
    }

    /// <summary>Of the disk under a directory; null: it cannot be told, which the log and the store say louder.</summary>
    internal static (long Free, long Total)? FreeRoom(string directory)
    {
        try
        {
            DriveInfo disk = DiskOf(directory);
            return (disk.AvailableFreeSpace, disk.TotalSize);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long FreeBytes(string directory)
    {
        try
        {
            return DiskOf(directory).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A disk that does not even say this refuses other calls too, and those are shown; dropping samples would not help it.
            return long.MaxValue;
        }
    }

    private static long DefaultMinFreeBytes(string directory) => Math.Min(MostMinFreeBytes, DiskOf(directory).TotalSize / FreeShareOfDisk);

    // The nearest folder that is there: on the first start the store's own is not.
    private static DriveInfo DiskOf(string directory)
    {
        string? existing = Path.GetFullPath(directory);
        while (existing is not null && !Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing);
        }

        return new DriveInfo(existing ?? Path.GetPathRoot(Path.GetFullPath(directory))!);
    }
}
