using System.Reflection;
using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Testing.Events;

/// <summary>
/// All events the given assemblies declare with [LoggerMessage], read by reflection. Only for tests and the page of events: the published
/// programs are trimmed and must not reflect.
/// </summary>
public static class EventCatalog
{
    private const BindingFlags AnyMethod =
        BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>Ordered by id.</summary>
    public static IReadOnlyList<EventDescription> Collect(IEnumerable<Assembly> assemblies) =>
        [.. assemblies.SelectMany(assembly => assembly.GetTypes())
            .SelectMany(type => type.GetMethods(AnyMethod))
            .Select(Describe)
            .OfType<EventDescription>()
            .OrderBy(one => one.Id).ThenBy(one => one.Declared, StringComparer.Ordinal)];

    /// <summary>
    /// What is wrong with a set of events: an id or name used twice, no id or name, outside the declared ranges, or a Warning, Error or
    /// Critical without help. Empty when all is well.
    /// </summary>
    public static IReadOnlyList<string> Problems(IReadOnlyList<EventDescription> events) =>
    [
        .. events.Where(one => EventIdRange.Of(one.Id) is null)
            .Select(one => $"{one.Declared}: id {one.Id} is in no range of EventIdRange"),
        .. events.Where(one => one.Name.Length == 0).Select(one => $"{one.Declared}: has no EventName"),
        .. events.Where(one => one.Level >= LogLevel.Warning && (IsBlank(one.Meaning) || IsBlank(one.Cause) || IsBlank(one.Action)))
            .Select(one => $"{one.Declared}: a {one.Level} needs [EventHelp] with Meaning, Cause and Action"),
        .. Twice(events, one => one.Id.ToString(), "id"),
        .. Twice(events, one => one.Name, "name"),
    ];

    private static bool IsBlank(string? text) => string.IsNullOrWhiteSpace(text);

    private static IEnumerable<string> Twice(IReadOnlyList<EventDescription> events, Func<EventDescription, string> key, string what) =>
        events.Where(one => key(one).Length > 0).GroupBy(key).Where(group => group.Count() > 1)
            .Select(group => $"{string.Join(", ", group.Select(one => one.Declared))}: share the {what} {group.Key}");

    private static EventDescription? Describe(MethodInfo method)
    {
        if (method.GetCustomAttribute<LoggerMessageAttribute>() is not { } message)
        {
            return null;
        }

        EventHelpAttribute? help = method.GetCustomAttribute<EventHelpAttribute>();
        return new EventDescription(message.EventId, message.EventName ?? "", message.Level, message.Message ?? "",
            $"{method.DeclaringType!.Name}.{method.Name}", help?.Meaning, help?.Cause, help?.Action);
    }
}
