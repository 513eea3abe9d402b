using Microsoft.Extensions.Logging;

namespace NodeAgent.Simulation.Tests.World;

/// <summary>Puts what the product tells people into the history that a failing seed shows.</summary>
internal sealed class HistoryLog<T>(Action<string> note) : ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        note($"    {eventId.Name}: {formatter(state, exception)}");
}
