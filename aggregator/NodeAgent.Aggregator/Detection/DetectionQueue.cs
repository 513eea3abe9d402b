using NodeAgent.Aggregator.Ingest;
using NodeAgent.Tsdb;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Detection;

/// <summary>An event on its way to detection.</summary>
internal readonly record struct QueuedEvent(string Node, Event Event, long ReceivedUnixMs);

/// <summary>
/// Between ingest and detection: bounded in bytes, never waited for. A row costs ingest a lock that is held for a copy of its values; nobody is
/// woken for it, the detection thread looks by itself twenty times a second. An event wakes it. What finds no room is counted.
/// </summary>
internal sealed class DetectionQueue(long maxBytes, TimeProvider time) : IIngestFollower, IDisposable
{
    private const int MostEvents = 65_536; // a fleet that is falling over; each is a line of text
    private const int LargestPooled = 1024; // rows that wait to be used again, per size

    private readonly Lock _lock = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Dictionary<int, Stack<DetectionRow>> _pool = [];
    private readonly Queue<QueuedEvent> _events = new();
    private List<DetectionRow> _rows = [];
    private long _bytes;
    private long _shedRows;
    private long _lostEvents;
    private long _oldest;

    /// <summary>Rows that found no room.</summary>
    internal long ShedRows => Interlocked.Read(ref _shedRows);

    /// <summary>Events that found no room.</summary>
    internal long LostEvents => Interlocked.Read(ref _lostEvents);

    /// <inheritdoc/>
    public void OnRow(SchemaHandle schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present)
    {
        lock (_lock)
        {
            if (_bytes >= maxBytes)
            {
                _shedRows++;
                return;
            }

            DetectionRow row = _pool.TryGetValue(values.Length, out Stack<DetectionRow>? free) && free.TryPop(out DetectionRow? used) ? used : new DetectionRow(values.Length);
            values.CopyTo(row.Values);
            present.CopyTo(row.Present);
            (row.Schema, row.UnixMs, row.TakenAt) = (schema, unixMs, time.GetTimestamp());
            if (_rows.Count == 0)
            {
                _oldest = row.TakenAt;
            }

            _rows.Add(row);
            _bytes += row.Bytes;
        }
    }

    /// <inheritdoc/>
    public void OnEvent(string node, Event record, long receivedUnixMs)
    {
        lock (_lock)
        {
            if (_events.Count >= MostEvents)
            {
                _lostEvents++;
                return;
            }

            _events.Enqueue(new QueuedEvent(node, record, receivedUnixMs));
        }

        _wake.Set();
    }

    /// <summary>Sleeps until an event came, somebody woke it, or the time is over.</summary>
    internal void Wait(TimeSpan most) => _wake.WaitOne(most);

    internal void Wake() => _wake.Set();

    /// <summary>The share of the bound that is used, how old the oldest row is, and how many wait.</summary>
    internal (double Share, TimeSpan Lag, int Rows) Fill()
    {
        lock (_lock)
        {
            return ((double)_bytes / maxBytes, _rows.Count == 0 ? TimeSpan.Zero : time.GetElapsedTime(_oldest), _rows.Count);
        }
    }

    /// <summary>Takes everything that waits; the rows are given back with <see cref="Return"/>. Their bytes count until then.</summary>
    internal List<DetectionRow> Take(List<DetectionRow> empty, List<QueuedEvent> events)
    {
        lock (_lock)
        {
            while (_events.TryDequeue(out QueuedEvent happened))
            {
                events.Add(happened);
            }

            (List<DetectionRow> rows, _rows) = (_rows, empty);
            return rows;
        }
    }

    /// <summary>Gives back some rows that were looked at.</summary>
    internal void Return(ReadOnlySpan<DetectionRow> rows)
    {
        lock (_lock)
        {
            foreach (DetectionRow row in rows)
            {
                _bytes -= row.Bytes;
                row.Schema = null;
                if (!_pool.TryGetValue(row.Columns, out Stack<DetectionRow>? free))
                {
                    _pool.Add(row.Columns, free = new Stack<DetectionRow>());
                }

                if (free.Count < LargestPooled)
                {
                    free.Push(row);
                }
            }
        }
    }

    public void Dispose() => _wake.Dispose();
}
