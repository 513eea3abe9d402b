using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using NodeAgent.Tsdb.Head;

namespace NodeAgent.Tsdb.Storage;

/// <summary>
/// Appends what a replay hands over on several threads: compressing full heads is most of a replay, and a restart should not leave all but
/// one processor idle. A schema's rows stay in order, because all of them go through one lane; rows are copied, in batches. One producer.
/// </summary>
internal sealed class ReplayLanes : IDisposable
{
    private const int BatchRows = 64;
    private const int MaxWaiting = 8; // batches of a lane: a few megabytes

    private readonly Lane[] _lanes;

    public ReplayLanes(int lanes) => _lanes = [.. Enumerable.Range(0, lanes).Select(number => new Lane(number))];

    public void Add(MemorySchema schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, ulong walId) =>
        _lanes[(uint)schema.Id % (uint)_lanes.Length].Add(schema, unixMs, values, present, walId);

    /// <summary>Waits until everything is appended. What went wrong on a lane goes on here.</summary>
    public void Dispose()
    {
        Array.ForEach(_lanes, lane => lane.End());
        Array.ForEach(_lanes, lane => lane.Dispose());
    }

    private sealed class Lane : IDisposable
    {
        private readonly BlockingCollection<Batch> _waiting = new(MaxWaiting);
        private readonly ConcurrentBag<Batch> _free = [];
        private readonly Thread _thread;
        private ExceptionDispatchInfo? _failure;
        private Batch _filling = new();

        public Lane(int number)
        {
            _thread = new Thread(Run) { Name = $"tsdb-replay-{number}", IsBackground = true };
            _thread.Start();
        }

        public void Add(MemorySchema schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, ulong walId)
        {
            _filling.Add(schema, unixMs, values, present, walId);
            if (_filling.Count == BatchRows)
            {
                _waiting.Add(_filling);
                _filling = _free.TryTake(out Batch? used) ? used : new Batch();
            }
        }

        public void End()
        {
            _waiting.Add(_filling);
            _waiting.CompleteAdding();
        }

        public void Dispose()
        {
            _thread.Join();
            _waiting.Dispose();
            _failure?.Throw();
        }

        private void Run()
        {
            foreach (Batch batch in _waiting.GetConsumingEnumerable())
            {
                try
                {
                    if (_failure is null)
                    {
                        batch.AppendAll();
                    }
                }
                catch (Exception e)
                {
                    _failure = ExceptionDispatchInfo.Capture(e); // the producer must not wait for ever; it is thrown where the replay ends
                }

                batch.Clear();
                _free.Add(batch);
            }
        }
    }

    /// <summary>Some rows, in order, in arrays that are used again.</summary>
    private sealed class Batch
    {
        private readonly Row[] _rows = new Row[BatchRows];
        private double[] _values = new double[BatchRows * 256];
        private ulong[] _present = new ulong[BatchRows * 4];
        private int _valueCount;
        private int _presentCount;

        public int Count { get; private set; }

        public void Add(MemorySchema schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, ulong walId)
        {
            Append(values, ref _values, _valueCount);
            Append(present, ref _present, _presentCount);
            _rows[Count++] = new Row(schema, unixMs, walId, _valueCount, values.Length, _presentCount, present.Length);
            _valueCount += values.Length;
            _presentCount += present.Length;
        }

        public void AppendAll()
        {
            foreach (ref readonly Row row in _rows.AsSpan(0, Count))
            {
                row.Schema.Append(
                    row.UnixMs, _values.AsSpan(row.Values, row.ValueCount), _present.AsSpan(row.Present, row.PresentCount), row.WalId);
            }
        }

        public void Clear() => Count = _valueCount = _presentCount = 0;

        private static void Append<T>(ReadOnlySpan<T> source, ref T[] target, int at)
        {
            if (at + source.Length > target.Length)
            {
                Array.Resize(ref target, Math.Max(at + source.Length, target.Length * 2));
            }

            source.CopyTo(target.AsSpan(at));
        }

        private readonly record struct Row(
            MemorySchema Schema, long UnixMs, ulong WalId, int Values, int ValueCount, int Present, int PresentCount);
    }
}
