namespace NodeAgent.Hosting.Logs;

/// <summary>
/// Who owns which event ids. Ids and names are an interface: alerts and runbooks are written against them, so they are never reused
/// or given another meaning.
/// </summary>
public sealed record EventIdRange(int First, int Last, string Owner)
{
    /// <summary>All ranges, ascending and without overlap.</summary>
    public static IReadOnlyList<EventIdRange> All { get; } =
    [
        new(1000, 1999, "host and process"),
        new(2000, 2999, "sampling"),
        new(3000, 3999, "spool"),
        new(4000, 4999, "uplink"),
        new(5000, 5999, "actuation"),
        new(6000, 6499, "ingest"),
        new(6500, 6999, "query"),
        new(7000, 7999, "time-series store"),
        new(8000, 8999, "detection"),
        new(9000, 9999, "placement"),
        new(10000, 10999, "identity"),
    ];

    /// <summary>The range an id belongs to, null for an id nobody owns.</summary>
    public static EventIdRange? Of(int id) => All.FirstOrDefault(range => id >= range.First && id <= range.Last);
}
