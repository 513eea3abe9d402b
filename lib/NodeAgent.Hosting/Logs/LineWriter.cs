namespace NodeAgent.Hosting.Logs;

/// <summary>
/// Takes finished lines from any thread and writes them on one of its own, so that a reader that stops reading (a full pipe, a
/// suspended terminal) can never hold up the caller. Two buffers: callers fill one while the thread writes the other. Bounded;
/// a line that finds no room is dropped and counted.
/// </summary>
internal sealed class LineWriter : IDisposable
{
    private const int InitialBytes = 4096;
    private const int StackBytes = 256 * 1024; // the loop needs a few frames; the 8 MiB default counts against some address space limits

    private readonly object _gate = new();
    private readonly Stream _output;
    private readonly int _maxPendingBytes;
    private readonly TimeSpan _flushTimeout;

    // All below: under _gate.
    private byte[] _pending = new byte[InitialBytes];
    private int _pendingBytes;
    private int _pendingLines;
    private byte[] _spare = new byte[InitialBytes];
    private bool _writing;
    private bool _closed;
    private long _writtenLines;
    private long _droppedLines;
    private long _unreportedDrops;

    public LineWriter(Stream output, int maxPendingBytes, TimeSpan flushTimeout)
    {
        _output = output;
        _maxPendingBytes = Math.Max(InitialBytes, maxPendingBytes);
        _flushTimeout = flushTimeout;
        new Thread(WriteUntilClosed, StackBytes) { IsBackground = true, Name = "event-log" }.Start();
    }

    public long WrittenLines
    {
        get
        {
            lock (_gate)
            {
                return _writtenLines;
            }
        }
    }

    public long DroppedLines
    {
        get
        {
            lock (_gate)
            {
                return _droppedLines;
            }
        }
    }

    /// <summary>Queues one line, or drops it when the reader is too far behind or the log is closed. Never waits for the reader.</summary>
    public bool TryAppend(ReadOnlySpan<byte> line)
    {
        lock (_gate)
        {
            if (_closed || _pendingBytes + line.Length > _maxPendingBytes)
            {
                _droppedLines++;
                _unreportedDrops++;
                return false;
            }

            ReserveNeedsLock(line.Length);
            line.CopyTo(_pending.AsSpan(_pendingBytes));
            _pendingBytes += line.Length;
            _pendingLines++;
            Monitor.PulseAll(_gate);
            return true;
        }
    }

    /// <summary>Drops that no line has told about yet; the caller now owes that line.</summary>
    public long TakeUnreportedDrops()
    {
        lock (_gate)
        {
            long drops = _unreportedDrops;
            _unreportedDrops = 0;
            return drops;
        }
    }

    /// <summary>Waits until everything queued so far is with the reader; false when that took longer than <paramref name="timeout"/>.</summary>
    public bool Flush(TimeSpan timeout)
    {
        long deadline = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        lock (_gate)
        {
            while (_pendingBytes > 0 || _writing)
            {
                long left = deadline - Environment.TickCount64;
                if (left <= 0 || !Monitor.Wait(_gate, (int)Math.Min(left, int.MaxValue)))
                {
                    return _pendingBytes == 0 && !_writing;
                }
            }

            return true;
        }
    }

    public void Dispose()
    {
        Flush(_flushTimeout);
        lock (_gate)
        {
            _closed = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void WriteUntilClosed()
    {
        while (TryTake(out byte[] batch, out int bytes, out int lines))
        {
            bool written = TryWrite(batch.AsSpan(0, bytes));
            lock (_gate)
            {
                _spare = batch;
                _writing = false;
                _writtenLines += written ? lines : 0;
                _droppedLines += written ? 0 : lines;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private bool TryTake(out byte[] batch, out int bytes, out int lines)
    {
        lock (_gate)
        {
            while (_pendingBytes == 0 && !_closed)
            {
                Monitor.Wait(_gate);
            }

            (batch, bytes, lines) = (_pending, _pendingBytes, _pendingLines);
            (_pending, _pendingBytes, _pendingLines) = (_spare, 0, 0);
            _writing = bytes > 0;
            return _writing;
        }
    }

    private bool TryWrite(ReadOnlySpan<byte> batch)
    {
        try
        {
            _output.Write(batch);
            _output.Flush();
            return true;
        }
        catch (Exception unwritable) when (unwritable is IOException or ObjectDisposedException or UnauthorizedAccessException)
        {
            // The output itself is gone: nowhere is left to say so, hence only the counter.
            return false;
        }
    }

    private void ReserveNeedsLock(int count)
    {
        int needed = _pendingBytes + count;
        if (needed > _pending.Length)
        {
            Array.Resize(ref _pending, Math.Min(_maxPendingBytes, Math.Max(_pending.Length * 2, needed)));
        }
    }
}
