using System.Globalization;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Aggregator.Operations;

/// <summary>How far long work is, for a person: one line that is written over on a terminal, else a line every ten seconds.</summary>
internal sealed class ProgressLine(TextWriter output, bool isTerminal, TimeProvider time) : IProgress<BackupProgress>
{
    private long _start = time.GetTimestamp();
    private long _doneBytes;
    private readonly TimeSpan _interval = isTerminal ? TimeSpan.FromMilliseconds(200) : TimeSpan.FromSeconds(10);
    private TimeSpan _shownAt;
    private int _shownWidth;

    public void Report(BackupProgress value)
    {
        if (value.DoneBytes < _doneBytes)
        {
            // Another stage: what the one before did says nothing of how long this takes.
            _start = time.GetTimestamp();
            _shownAt = TimeSpan.Zero;
        }

        _doneBytes = value.DoneBytes;
        TimeSpan elapsed = time.GetElapsedTime(_start);
        if (elapsed - _shownAt < _interval)
        {
            return;
        }

        _shownAt = elapsed;
        string text = Text(value, elapsed);
        output.Write(isTerminal ? $"\r{text.PadRight(_shownWidth)}" : text + Environment.NewLine);
        _shownWidth = text.Length;
    }

    /// <summary>Takes the line back, before the result.</summary>
    internal void End()
    {
        if (isTerminal && _shownWidth > 0)
        {
            output.Write($"\r{new string(' ', _shownWidth)}\r");
        }
    }

    internal static string Text(BackupProgress value, TimeSpan elapsed)
    {
        double rate = value.DoneBytes / Math.Max(elapsed.TotalSeconds, 0.001);
        double share = value.TotalBytes > 0 ? 100.0 * value.DoneBytes / value.TotalBytes : 100;
        TimeSpan left = rate > 0 ? TimeSpan.FromSeconds((value.TotalBytes - value.DoneBytes) / rate) : TimeSpan.Zero;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{share:0.0} % of {value.TotalBytes / 1048576.0:0.0} MiB, {rate / 1048576.0:0.0} MiB/s, {left:hh\\:mm\\:ss} left: {value.File}");
    }
}
