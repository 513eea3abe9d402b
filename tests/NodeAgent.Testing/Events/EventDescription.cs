using Microsoft.Extensions.Logging;

namespace NodeAgent.Testing.Events;

/// <summary>One declared event.</summary>
/// <param name="Id">Stable id.</param>
/// <param name="Name">Stable name.</param>
/// <param name="Level">Level.</param>
/// <param name="Message">The message template.</param>
/// <param name="Declared">Type and method, for the messages of checks.</param>
/// <param name="Meaning">What is the case now; null when the event has no help.</param>
/// <param name="Cause">The likely cause.</param>
/// <param name="Action">What to do.</param>
public sealed record EventDescription(int Id, string Name, LogLevel Level, string Message, string Declared,
    string? Meaning = null, string? Cause = null, string? Action = null);
