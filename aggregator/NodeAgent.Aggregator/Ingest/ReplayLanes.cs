using System.Runtime.ExceptionServices;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Frames of a replay, read back on several threads: unpacking and compressing them is nearly all of a restart, and one processor should not
/// do it while others idle. All frames of a node go through one lane, so what depends on order stays in order. Everything that is no frame
/// the reading thread does itself, after <see cref="Drain(int)"/>. One producer.
/// </summary>
/// <param name="count">How many; 0: frames are taken by the caller, at once.</param>
/// <param name="take">Takes a frame; on the lane's thread.</param>
internal sealed class ReplayLanes(int count, ReplayLanes.TakeFrame take)
{
    private readonly Lane?[] _lanes = new Lane?[count];

    /// <param name="source">The stream.</param>
    /// <param name="message">The message, with its header.</param>
    /// <param name="logId">Under which it is in the log.</param>
    internal delegate void TakeFrame(ReplaySource source, ReadOnlySpan<byte> message, ulong logId);

    /// <summary>Hands a frame over; the bytes are copied.</summary>
    internal void Add(ReplaySource source, ReadOnlySpan<byte> message, ulong logId)
    {
        if (count == 0)
        {
            take(source, message, logId);
            return;
        }

        // A lane starts with its first frame: most logs of tests and of small fleets have few.
        Lane lane = _lanes[source.Intake.ReplayLane % count] ??= new Lane(take);
        lane.Add(source, message, logId);
    }

    /// <summary>Waits until all frames of a node are taken.</summary>
    internal void Drain(NodeIntake intake)
    {
        if (count > 0)
        {
            _lanes[intake.ReplayLane % count]?.Drain();
        }
    }

    /// <summary>Waits until everything is taken.</summary>
    internal void DrainAll() => Array.ForEach(_lanes, lane => lane?.Drain());

    /// <summary>Waits until everything is taken. What went wrong on a lane goes on here.</summary>
    internal void End()
    {
        Array.ForEach(_lanes, lane => lane?.End());
        Array.ForEach(_lanes, lane => lane?.Join());
    }

    private sealed class Lane
    {
        private const int MaxWaiting = 8; // batches: a megabyte

        private readonly TakeFrame _take;
        private readonly Thread _thread;
        private readonly Queue<Batch> _waiting = new();
        private readonly Stack<Batch> _free = new();
        private ExceptionDispatchInfo? _failure;
        private Batch _filling = new();
        private bool _isTaking;
        private bool _hasEnded;

        internal Lane(TakeFrame take)
        {
            _take = take;
            _thread = new Thread(Run) { Name = "wal-replay", IsBackground = true };
            _thread.Start();
        }

        internal void Add(ReplaySource source, ReadOnlySpan<byte> message, ulong logId)
        {
            _filling.Add(source, message, logId);
            if (!_filling.IsFull)
            {
                return;
            }

            lock (_waiting)
            {
                while (_waiting.Count >= MaxWaiting)
                {
                    Monitor.Wait(_waiting);
                }

                _waiting.Enqueue(_filling);
                Monitor.PulseAll(_waiting);
                _filling = _free.TryPop(out Batch? used) ? used : new Batch();
            }
        }

        internal void Drain()
        {
            lock (_waiting)
            {
                while (_waiting.Count > 0 || _isTaking)
                {
                    Monitor.Wait(_waiting);
                }
            }

            // The lane rests, so the few that are left are taken here: cheaper than waking it.
            Take(_filling);
        }

        internal void End()
        {
            lock (_waiting)
            {
                _waiting.Enqueue(_filling);
                _hasEnded = true;
                Monitor.PulseAll(_waiting);
            }
        }

        internal void Join()
        {
            _thread.Join();
            _failure?.Throw();
        }

        private void Run()
        {
            while (Next() is { } batch)
            {
                Take(batch);
                lock (_waiting)
                {
                    _free.Push(batch);
                    _isTaking = false;
                    Monitor.PulseAll(_waiting);
                }
            }
        }

        private Batch? Next()
        {
            lock (_waiting)
            {
                while (_waiting.Count == 0 && !_hasEnded)
                {
                    Monitor.Wait(_waiting);
                }

                _isTaking = _waiting.TryDequeue(out Batch? batch);
                Monitor.PulseAll(_waiting);
                return batch;
            }
        }

        private void Take(Batch batch)
        {
            try
            {
                if (_failure is null)
                {
                    batch.TakeAll(_take);
                }
            }
            catch (Exception e)
            {
                _failure = ExceptionDispatchInfo.Capture(e); // the producer must not wait for ever; it is thrown where the replay ends
            }

            batch.Clear();
        }
    }

    /// <summary>Some frames, in order, in arrays that are used again.</summary>
    private sealed class Batch
    {
        private const int MaxFrames = 128;
        private const int FullBytes = 64 << 10;

        private readonly Frame[] _frames = new Frame[MaxFrames];
        private byte[] _bytes = new byte[FullBytes + (16 << 10)];
        private int _count;
        private int _length;

        internal bool IsFull => _count == MaxFrames || _length >= FullBytes;

        internal void Add(ReplaySource source, ReadOnlySpan<byte> message, ulong logId)
        {
            if (_length + message.Length > _bytes.Length)
            {
                Array.Resize(ref _bytes, Math.Max(_length + message.Length, _bytes.Length * 2));
            }

            message.CopyTo(_bytes.AsSpan(_length));
            _frames[_count++] = new Frame(source, _length, message.Length, logId);
            _length += message.Length;
        }

        internal void TakeAll(TakeFrame take)
        {
            foreach (ref readonly Frame frame in _frames.AsSpan(0, _count))
            {
                take(frame.Source, _bytes.AsSpan(frame.Start, frame.Length), frame.LogId);
            }
        }

        internal void Clear() => _count = _length = 0;

        private readonly record struct Frame(ReplaySource Source, int Start, int Length, ulong LogId);
    }
}
