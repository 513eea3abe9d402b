using System.Text;

namespace NodeAgent.Hosting.Windows;

/// <summary>
/// Where the log's lines go in a service, which has no standard error: each line, with the journal's priority before it, becomes one record of
/// the event log. Knows no Windows call, so it is tested anywhere. One writer at a time, as the log's own thread is.
/// </summary>
/// <param name="report">Takes the record's type (winnt.h: 1 error, 2 warning, 4 information) and its text.</param>
internal sealed class EventSourceStream(Action<ushort, string> report) : Stream
{
    internal const ushort Error = 1;
    internal const ushort Warning = 2;
    internal const ushort Information = 4;

    /// <summary>ReportEvent takes 31,839 characters a string.</summary>
    private const int MaxChars = 31_000;

    private readonly List<byte> _line = [];

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.IndexOf((byte)'\n') is >= 0 and var end)
        {
            _line.AddRange(buffer[..end]);
            buffer = buffer[(end + 1)..];
            Report();
        }

        _line.AddRange(buffer);
    }

    public override void Flush()
    {
        // A line is reported when it is whole; half of one waits for its end.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void Report()
    {
        string line = Encoding.UTF8.GetString([.. _line]);
        _line.Clear();
        ushort type = Information;
        if (line.Length > 3 && line[0] == '<' && line[2] == '>')
        {
            type = line[1] switch { <= '3' => Error, '4' => Warning, _ => Information };
            line = line[3..];
        }

        report(type, line.Length > MaxChars ? line[..MaxChars] : line);
    }
}
