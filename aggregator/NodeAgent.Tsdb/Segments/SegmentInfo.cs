namespace NodeAgent.Tsdb.Segments;

/// <summary>What the rows of a segment are. Stored; numbers never change meaning.</summary>
internal enum SegmentKind : byte
{
    /// <summary>Samples as they came.</summary>
    Raw = 0,

    /// <summary>One row a minute.</summary>
    Minute = 1,

    /// <summary>One row an hour.</summary>
    Hour = 2,
}

/// <summary>How often a segment's samples were merged. Stored; numbers never change meaning.</summary>
internal enum SegmentLevel : byte
{
    /// <summary>Written from heads: about 8.5 min of some nodes, or late rows.</summary>
    Flushed = 0,

    /// <summary>All of a window of 2 h, when it was made.</summary>
    Window = 1,

    /// <summary>All of a day, when it was made.</summary>
    Day = 2,
}

/// <summary>What the index log says of a segment. Immutable.</summary>
/// <param name="Number">Names the file; never reused.</param>
/// <param name="Kind">What its rows are.</param>
/// <param name="Level">How it came about.</param>
/// <param name="Sequence">
/// Order of writing: of two samples of one series and time, that of the higher sequence is the later write. A merged segment has the
/// highest of those that went into it, which is why all segments of a window are always merged together.
/// </param>
/// <param name="WindowStartUnixMs">Its rows are later than this.</param>
/// <param name="WindowEndUnixMs">And not later than this.</param>
/// <param name="FirstUnixMs">Time of its oldest row.</param>
/// <param name="LastUnixMs">Time of its newest row.</param>
/// <param name="Samples">Samples, or rows of a tier.</param>
/// <param name="Length">Of the file, in bytes.</param>
/// <param name="Checksum">Of its trailer, which has those of the rest: ties the file to this entry.</param>
internal sealed record SegmentInfo(
    long Number,
    SegmentKind Kind,
    SegmentLevel Level,
    long Sequence,
    long WindowStartUnixMs,
    long WindowEndUnixMs,
    long FirstUnixMs,
    long LastUnixMs,
    long Samples,
    long Length,
    uint Checksum)
{
    /// <summary>Name of the file in the segments' directory.</summary>
    public string FileName => SegmentName.Of(Number, Kind);
}

/// <summary>Names of segment files: <c>000000000000002a.raw</c>, <c>.minute</c>, <c>.hour</c>; with <c>.tmp</c> while they are written.</summary>
internal static class SegmentName
{
    public const string Unfinished = ".tmp";

    public static string Of(long number, SegmentKind kind) => $"{number:x16}.{Suffix(kind)}";

    private static string Suffix(SegmentKind kind) => kind switch
    {
        SegmentKind.Raw => "raw",
        SegmentKind.Minute => "minute",
        _ => "hour",
    };
}
