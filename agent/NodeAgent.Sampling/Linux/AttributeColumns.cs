using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Linux;

/// <summary>How an attribute's text becomes a number.</summary>
internal enum AttributeForm
{
    /// <summary>A decimal with an optional minus; text after it ("4: ACTIVE") is ignored.</summary>
    Integer,

    /// <summary>A decimal fraction; text after it ("400 Gb/sec (4X NDR)") is ignored.</summary>
    Fraction,

    /// <summary>0x and hexadecimal digits.</summary>
    Hexadecimal,

    /// <summary>1 for the text "up", 0 for any other.</summary>
    IsUp,
}

/// <summary>How to read one attribute.</summary>
/// <param name="Form">Its text.</param>
/// <param name="Multiplier">To the metric's unit, applied first.</param>
/// <param name="Divisor">To the metric's unit, applied second; a division keeps 1/1000 exact where a multiplication would not.</param>
/// <param name="Minimum">Smaller values mean "unknown" and are left out.</param>
internal sealed record AttributeReading(
    AttributeForm Form = AttributeForm.Integer, double Multiplier = 1, double Divisor = 1, double Minimum = double.NegativeInfinity)
{
    /// <summary>A whole number in the metric's unit.</summary>
    public static AttributeReading Plain { get; } = new();
}

/// <summary>The columns of a sampler whose values are sysfs attributes, one file each, and constants read when they were added.</summary>
internal sealed class AttributeColumns(SeriesTable series)
{
    // Hundreds of attributes share it: none keeps a page. A value longer than this is no value.
    private readonly KernelBuffer _buffer = new(initialBytes: Sysfs.MaxAttributeBytes, maxBytes: Sysfs.MaxAttributeBytes);
    private readonly List<Entry> _entries = [];
    private readonly List<(KernelFile File, byte[] Expected)> _watched = [];
    private readonly List<(int Column, double Value)> _constants = [];

    public int Count => series.Count;

    /// <summary>A watched text has changed: a label no longer says what the host is.</summary>
    public bool IsStale { get; private set; }

    /// <summary>The device behind an attribute is gone, though the class folder may already hold another of the same name.</summary>
    public bool HasLostDevice { get; private set; }

    /// <summary>There were more devices than the sampler is willing to follow.</summary>
    public bool IsTruncated { get; set; }

    /// <summary>Adds a column for an attribute; nothing where it does not exist or may not be read.</summary>
    /// <returns>Whether it was added.</returns>
    public bool Add(string path, AttributeReading reading, MetricDefinition metric, params ReadOnlySpan<Label> labels)
    {
        KernelFile? file = KernelFile.TryOpen(path, _buffer, wholeInOneRead: true);
        if (file is null)
        {
            return false;
        }

        _entries.Add(new Entry(file, reading, series.Add(metric, labels)));
        return true;
    }

    /// <summary>As <see cref="Add"/> for a counter that starts again at zero after <paramref name="range"/>: its column only grows.</summary>
    public bool AddWrapping(string path, ulong range, AttributeReading reading, MetricDefinition metric, params ReadOnlySpan<Label> labels)
    {
        if (!Add(path, reading, metric, labels))
        {
            return false;
        }

        _entries[^1].Range = range;
        return true;
    }

    /// <summary>Adds a column whose value cannot change while the device exists; nothing where it cannot be read now.</summary>
    public bool AddConstant(string path, AttributeReading reading, MetricDefinition metric, params ReadOnlySpan<Label> labels)
    {
        using KernelFile? file = KernelFile.TryOpen(path, _buffer, wholeInOneRead: true);
        if (file is null || !Sysfs.TryRead(file, out ReadOnlySpan<byte> text) || !AttributeParser.TryParse(text, reading, out double value))
        {
            return false;
        }

        AddConstant(value, metric, labels);
        return true;
    }

    /// <summary>Adds a column with a known value, as an info series has.</summary>
    public void AddConstant(double value, MetricDefinition metric, params ReadOnlySpan<Label> labels) =>
        _constants.Add((series.Add(metric, labels), value));

    /// <summary>Reads a text for a label, and watches it: when it changes, the columns are stale. "" where there is none.</summary>
    public string WatchText(string path)
    {
        KernelFile? file = KernelFile.TryOpen(path, _buffer, wholeInOneRead: true);
        if (file is null)
        {
            return "";
        }

        Sysfs.TryRead(file, out ReadOnlySpan<byte> text); // refused and empty are the same for a label
        _watched.Add((file, text.ToArray()));
        return System.Text.Encoding.UTF8.GetString(text);
    }

    /// <summary>Closes the files and forgets the columns.</summary>
    public void Clear()
    {
        foreach (Entry entry in _entries)
        {
            entry.File.Dispose();
        }

        foreach ((KernelFile file, _) in _watched)
        {
            file.Dispose();
        }

        _entries.Clear();
        _watched.Clear();
        _constants.Clear();
        series.Rebuild();
        IsStale = false;
        HasLostDevice = false;
        IsTruncated = false;
    }

    /// <summary>Sets every column whose attribute has a value now.</summary>
    public SampleStatus Read()
    {
        bool any = _constants.Count > 0;
        bool malformed = false;
        foreach (Entry entry in _entries)
        {
            if (!Sysfs.TryRead(entry.File, out ReadOnlySpan<byte> text))
            {
                HasLostDevice |= entry.File.LastErrno == LibC.ENODEV; // what kernfs answers for an attribute that was removed
                continue;
            }

            any = true;
            if (AttributeParser.TryParse(text, entry.Reading, out double value))
            {
                series.Set(entry.Column, entry.Unwrap(value));
            }
            else
            {
                malformed |= AttributeParser.IsNumeric(text);
            }
        }

        foreach ((int column, double value) in _constants)
        {
            series.Set(column, value);
        }

        foreach ((KernelFile file, byte[] expected) in _watched)
        {
            Sysfs.TryRead(file, out ReadOnlySpan<byte> text);
            IsStale |= !text.SequenceEqual(expected);
        }

        return !any ? SampleStatus.Failed : IsTruncated ? SampleStatus.Truncated : malformed ? SampleStatus.Malformed : SampleStatus.Ok;
    }

    private sealed class Entry(KernelFile file, AttributeReading reading, int column)
    {
        private double _last = double.NaN;
        private double _wrapped;

        public KernelFile File => file;

        public AttributeReading Reading => reading;

        public int Column => column;

        public ulong Range { get; set; }

        // All arithmetic is in the metric's unit; the range is converted like a value.
        public double Unwrap(double value)
        {
            if (Range == 0)
            {
                return value;
            }

            if (value < _last)
            {
                _wrapped += AttributeParser.Convert(Range, reading);
            }

            _last = value;
            return _wrapped + value;
        }
    }
}
