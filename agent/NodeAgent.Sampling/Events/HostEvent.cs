using NodeAgent.Contracts.Series;

namespace NodeAgent.Sampling.Events;

/// <summary>Something that happened once on this host. Fields are those of <c>nodeagent.v1.Event</c>.</summary>
/// <param name="Kind">Stable: one of <see cref="HostEventKind"/>.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Message">The full text, as the source gave it.</param>
/// <param name="Attributes">What could be parsed from it, sorted by name.</param>
/// <param name="WallUnixMs">When it happened, milliseconds since 1970 UTC by the host's clock.</param>
/// <param name="BootId">The boot during which it happened; with the kernel sequence it is the event's identity.</param>
/// <param name="KernelSequence">Number of the kernel log record it came from; null where it did not.</param>
public sealed record HostEvent(
    string Kind,
    EventSeverity Severity,
    string Message,
    IReadOnlyList<Label> Attributes,
    long WallUnixMs,
    string BootId,
    ulong? KernelSequence)
{
    /// <summary>The value of an attribute, or "".</summary>
    public string Attribute(string name)
    {
        foreach (Label attribute in Attributes)
        {
            if (attribute.Name == name)
            {
                return attribute.Value;
            }
        }

        return "";
    }
}

/// <summary>Numbers are those of <c>nodeagent.v1.Severity</c>.</summary>
public enum EventSeverity
{
    Info = 1,
    Warning = 2,
    Error = 3,
    Critical = 4,
}
