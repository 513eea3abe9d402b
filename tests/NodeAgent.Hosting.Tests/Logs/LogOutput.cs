using System.Text;
using NodeAgent.Hosting.Logs;
using NodeAgent.Testing;

namespace NodeAgent.Hosting.Tests.Logs;

/// <summary>An event log whose lines can be read back.</summary>
internal sealed class LogOutput : IDisposable
{
    private readonly MemoryStream _stream = new();

    public LogOutput(EventLogOptions? options = null)
    {
        Log = new EventLog(options ?? new EventLogOptions(), Time, _stream);
    }

    public SimulatedTime Time { get; } = new();

    public EventLog Log { get; }

    /// <summary>Everything written, without the last line's end.</summary>
    public string[] Lines()
    {
        Assert.True(Log.Flush(TimeSpan.FromSeconds(10)), "the log did not reach its output");
        string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(_stream.ToArray());
        return text.Length == 0 ? [] : text.TrimEnd('\n').Split('\n');
    }

    public string SingleLine() => Assert.Single(Lines());

    public void Dispose() => Log.Dispose();
}
