using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Query;

/// <summary>
/// Threads for queries. One computes for as long as its limits allow: on the pool it would hold up the sockets of every agent. The engine bounds how
/// many run at once, so a thread for each is affordable; those that answered quickly are used again, because making one costs as much as the usual
/// question. One that turned out to be long got a lower priority, which an ordinary process cannot take back, and ends.
/// </summary>
internal sealed class QueryThreads
{
    private const int MostIdle = 8;
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(30);

    [ThreadStatic]
    private static bool _isLow;

    private readonly Lock _lock = new();
    private readonly Stack<Worker> _idle = new();

    /// <summary>For <see cref="Tsdb.Query.QueryEngine.WhenLong"/>: the calling thread computes for long.</summary>
    internal static void Lower()
    {
        if (!_isLow)
        {
            _isLow = true;
            BackgroundThread.LowerPriority();
        }
    }

    /// <summary>Runs a query's work; what it throws is the task's.</summary>
    internal Task<T> Run<T>(Func<T> query)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Take().Give(() =>
        {
            try
            {
                done.SetResult(query());
            }
            catch (OperationCanceledException e)
            {
                done.SetCanceled(e.CancellationToken);
            }
            catch (Exception e)
            {
                done.SetException(e); // the caller's, wherever it awaits
            }
        });
        return done.Task;
    }

    private Worker Take()
    {
        lock (_lock)
        {
            return _idle.TryPop(out Worker? worker) ? worker : new Worker(this);
        }
    }

    // False: there are enough, or it is too slow for others now.
    private bool TryRest(Worker worker)
    {
        lock (_lock)
        {
            if (_isLow || _idle.Count >= MostIdle)
            {
                return false;
            }

            _idle.Push(worker);
            return true;
        }
    }

    // False: somebody has taken it meanwhile and will give it work.
    private bool TryLeave(Worker worker)
    {
        lock (_lock)
        {
            Worker[] others = [.. _idle.Where(other => other != worker).Reverse()];
            bool isLeaving = others.Length < _idle.Count;
            _idle.Clear();
            Array.ForEach(others, _idle.Push);
            return isLeaving;
        }
    }

    private sealed class Worker
    {
        private readonly QueryThreads _owner;
        private readonly object _gate = new(); // held before the owner's lock, never after it
        private Action? _work;

        internal Worker(QueryThreads owner)
        {
            _owner = owner;
            new Thread(Run) { Name = "query", IsBackground = true }.Start();
        }

        internal void Give(Action work)
        {
            lock (_gate)
            {
                _work = work;
                Monitor.Pulse(_gate);
            }
        }

        private void Run()
        {
            do
            {
                if (Await() is not { } work)
                {
                    return;
                }

                work();
            }
            while (_owner.TryRest(this));
        }

        // Null: nobody has wanted it for long.
        private Action? Await()
        {
            lock (_gate)
            {
                while (_work is null)
                {
                    if (!Monitor.Wait(_gate, IdleTime) && _work is null && _owner.TryLeave(this))
                    {
                        return null;
                    }
                }

                Action work = _work;
                _work = null;
                return work;
            }
        }
    }
}
