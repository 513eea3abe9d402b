using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Cpu;

/// <summary>
/// Pressure stall information: time lost waiting for processor, memory, I/O and to interrupts. Absent where the kernel was built
/// or booted without PSI: NoData.
/// </summary>
internal sealed class PressureSampler : ISampler, IDisposable
{
    private const int None = -1;
    private readonly KernelBuffer _buffer = new(256);
    private readonly List<Source> _sources = [];

    public PressureSampler(HostRoots roots)
    {
        // cpu has a "full" line too, but across the host it means nothing and is always zero (Documentation/accounting/psi.rst).
        Add(roots, "cpu", CpuMetrics.PressureCpuWaiting, null);
        Add(roots, "memory", CpuMetrics.PressureMemoryWaiting, CpuMetrics.PressureMemoryStalled);
        Add(roots, "io", CpuMetrics.PressureIoWaiting, CpuMetrics.PressureIoStalled);
        Add(roots, "irq", null, CpuMetrics.PressureIrqStalled);
    }

    public string Name => "pressure";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        // Booted with psi=0 the files exist and every read fails with EOPNOTSUPP: nothing there, not an error.
        SampleStatus status = SampleStatus.NoData;
        foreach (Source source in _sources)
        {
            if (!source.File.TryRead(out ReadOnlySpan<byte> text))
            {
                continue;
            }

            bool isWellFormed = PressureParser.TryParse(text, out PressureReading reading);
            Set(source.Some, reading.SomeMicroseconds);
            Set(source.Full, reading.FullMicroseconds);
            status = !isWellFormed ? SampleStatus.Malformed : status == SampleStatus.NoData ? SampleStatus.Ok : status;
        }

        return status;
    }

    public void Dispose() => _sources.ForEach(source => source.File.Dispose());

    private void Add(HostRoots roots, string resource, MetricDefinition? some, MetricDefinition? full)
    {
        if (KernelFile.TryOpen(Path.Combine(roots.Proc, "pressure", resource), _buffer) is { } file)
        {
            _sources.Add(new Source(file, some is null ? None : Series.Add(some), full is null ? None : Series.Add(full)));
        }
    }

    private void Set(int column, ulong? microseconds)
    {
        if (column != None && microseconds is { } known)
        {
            Series.Set(column, known / 1e6);
        }
    }

    private readonly record struct Source(KernelFile File, int Some, int Full);
}

/// <summary>Totals of one pressure file; null where the line is absent.</summary>
internal readonly record struct PressureReading(ulong? SomeMicroseconds, ulong? FullMicroseconds);

/// <summary>Parses a pressure file: "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" (Documentation/accounting/psi.rst).</summary>
internal static class PressureParser
{
    public static bool TryParse(ReadOnlySpan<byte> text, out PressureReading reading)
    {
        ulong? some = null;
        ulong? full = null;
        bool isWellFormed = WholeLines.TryKeep(ref text);
        Utf8Cursor cursor = new(text);
        while (cursor.TryReadLine(out ReadOnlySpan<byte> line))
        {
            int at = line.IndexOf("total="u8);
            Utf8Cursor total = new(at < 0 ? default : line[(at + 6)..]);
            if (!total.TryReadUInt64(out ulong microseconds) || !total.IsAtEnd)
            {
                isWellFormed = false;
            }
            else if (line.StartsWith("some "u8))
            {
                some = microseconds;
            }
            else if (line.StartsWith("full "u8))
            {
                full = microseconds;
            }
        }

        reading = new PressureReading(some, full);
        return isWellFormed && (some is not null || full is not null);
    }
}
