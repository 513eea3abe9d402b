using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Processes;

/// <summary>Open file handles of the host and their limit.</summary>
internal sealed class FileHandleSampler : ISampler, IDisposable
{
    private readonly KernelFile? _file;

    public FileHandleSampler(HostRoots roots)
    {
        _file = KernelFile.TryOpen(Path.Combine(roots.Proc, "sys/fs/file-nr"), 128);
        if (_file is not null)
        {
            Series.Add(ProcessMetrics.FileHandlesAllocated);
            Series.Add(ProcessMetrics.FileHandlesMaximum);
        }
    }

    public string Name => "filefd";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (_file is null)
        {
            return SampleStatus.NoData;
        }

        if (!FileNrParser.TryParse(_file.Read(), out FileHandleReading reading))
        {
            return SampleStatus.Malformed;
        }

        Series.Set(0, reading.Allocated);
        Series.Set(1, reading.Maximum);
        return SampleStatus.Ok;
    }

    public void Dispose() => _file?.Dispose();
}

/// <summary>Handles in use and their limit (2^63-1: none).</summary>
internal readonly record struct FileHandleReading(ulong Allocated, ulong Maximum);

/// <summary>Parses /proc/sys/fs/file-nr: allocated, unused, maximum (Documentation/admin-guide/sysctl/fs.rst).</summary>
internal static class FileNrParser
{
    public static bool TryParse(ReadOnlySpan<byte> text, out FileHandleReading reading)
    {
        Utf8Cursor cursor = new(text);
        bool isComplete = cursor.TryReadUInt64(out ulong allocated) & cursor.TryReadUInt64(out _) & cursor.TryReadUInt64(out ulong maximum);
        reading = new FileHandleReading(allocated, maximum);
        return isComplete && cursor.TrySkip("\n"u8);
    }
}
