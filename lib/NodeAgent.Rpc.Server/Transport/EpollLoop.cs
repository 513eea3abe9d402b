using System.Net.Sockets;
using NodeAgent.Rpc.Blocking.Transport;

namespace NodeAgent.Rpc.Server.Transport;

/// <summary>
/// The one thread that waits for all connections, receives from them, and hands over what came, all of a look before the next wait.
/// Whoever wants something of a connection's receiving side posts it here, so that this side has one thread and needs no lock.
/// </summary>
internal sealed class EpollLoop : IDisposable
{
    private const int MostEvents = 256;
    private const ulong WakeKey = ulong.MaxValue;

    private readonly EpollDescriptor _epoll = EpollDescriptor.Create();
    private readonly EventDescriptor _wake = EventDescriptor.Create();
    private readonly byte[] _events = EpollDescriptor.BufferFor(MostEvents);
    private readonly WakePace _pace;
    private readonly Lock _lock = new();
    private readonly Stack<int> _free = new(); // under the lock
    private readonly Queue<EpollConnection> _unfinished = new(); // of the thread: more was there than one connection may take at once
    private readonly Thread _thread;
    private EpollConnection?[] _slots = new EpollConnection?[256]; // changed under the lock, read by the thread without
    private List<EpollConnection> _posted = []; // under the lock
    private List<EpollConnection> _taken = [];
    private uint _generation; // under the lock
    private bool _isStopping; // under the lock
    private bool _hasEnded; // under the lock

    internal EpollLoop(TimeProvider time)
    {
        _pace = new WakePace(time);
        _epoll.Watch(_wake, WakeKey);
        _thread = new Thread(Run) { Name = "rpc-sockets", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Connections that are watched.</summary>
    internal int Connections
    {
        get
        {
            lock (_lock)
            {
                return _slots.Count(slot => slot is not null);
            }
        }
    }

    /// <summary>Watches a connection; it may be told of events before this returns.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The system's limit of watched descriptors is reached.</exception>
    internal void Add(EpollConnection connection, SafeSocketHandle socket)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isStopping, this);
            connection.Key = TakeSlotNeedsLock(connection);
        }

        try
        {
            _epoll.Watch(
                socket, EpollEvents.In | EpollEvents.Out | EpollEvents.PeerHangUp | EpollEvents.EdgeTriggered, connection.Key);
        }
        catch
        {
            Remove(connection);
            throw;
        }
    }

    /// <summary>The connection's socket is closed.</summary>
    internal void Remove(EpollConnection connection)
    {
        lock (_lock)
        {
            int slot = (int)(uint)connection.Key;
            if (_slots[slot] == connection)
            {
                _slots[slot] = null;
                _free.Push(slot);
            }
        }
    }

    /// <summary>Has <see cref="EpollConnection.OnPosted"/> called on the thread; on this one when the thread has ended.</summary>
    internal void Post(EpollConnection connection)
    {
        lock (_lock)
        {
            if (!_hasEnded)
            {
                _posted.Add(connection);
                if (_posted.Count == 1)
                {
                    _wake.Signal();
                }

                return;
            }
        }

        connection.OnPosted();
    }

    /// <summary>Ends the thread. Connections that are left receive nothing any more.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isStopping)
            {
                return;
            }

            _isStopping = true;
        }

        _wake.Signal();
        _thread.Join();
        _epoll.Dispose();
        _wake.Dispose();
    }

    // The generation tells an event that was on its way apart from those of the slot's next connection.
    private ulong TakeSlotNeedsLock(EpollConnection connection)
    {
        if (!_free.TryPop(out int slot))
        {
            slot = Array.IndexOf(_slots, null);
            if (slot < 0)
            {
                slot = _slots.Length;
                EpollConnection?[] larger = new EpollConnection?[slot * 2];
                _slots.CopyTo(larger, 0);
                Volatile.Write(ref _slots, larger);
            }

            for (int free = _slots.Length - 1; free > slot; free--)
            {
                _free.Push(free);
            }
        }

        Volatile.Write(ref _slots[slot], connection);
        return ((ulong)++_generation << 32) | (uint)slot;
    }

    private void Run()
    {
        while (!IsStopping())
        {
            int count = _epoll.Wait(_events, _unfinished.Count > 0 ? 0 : Timeout.Infinite);
            for (int i = 0; i < count; i++)
            {
                (EpollEvents events, ulong key) = EpollDescriptor.Result(_events, i);
                Dispatch(events, key);
            }

            for (int left = _unfinished.Count; left > 0; left--)
            {
                Receive(_unfinished.Dequeue());
            }

            _pace.EndLook();
            if (_pace.Rests && count > 0 && _unfinished.Count == 0)
            {
                _wake.Wait(WakePace.RestMs);
            }
        }

        End();
    }

    private void Dispatch(EpollEvents events, ulong key)
    {
        if (key == WakeKey)
        {
            _wake.Clear();
            TakePosted();
            return;
        }

        EpollConnection? connection = Volatile.Read(ref _slots)[(int)(uint)key];
        if (connection is null || connection.Key != key)
        {
            return; // of a connection that has ended since
        }

        if ((events & ~EpollEvents.In) != 0)
        {
            connection.OnRoom();
        }

        if ((events & ~EpollEvents.Out) != 0)
        {
            _pace.Count(ref connection.LastWindow);
            connection.OnReadable(hasEnded: (events & ~(EpollEvents.In | EpollEvents.Out)) != 0);
            Receive(connection);
        }
    }

    private void Receive(EpollConnection connection)
    {
        if (connection.Receive())
        {
            _unfinished.Enqueue(connection);
        }
    }

    private void TakePosted()
    {
        lock (_lock)
        {
            (_posted, _taken) = (_taken, _posted);
        }

        foreach (EpollConnection connection in _taken)
        {
            connection.OnPosted();
            Receive(connection);
        }

        _taken.Clear();
    }

    private bool IsStopping()
    {
        lock (_lock)
        {
            return _isStopping;
        }
    }

    // Their owners wait for their receiving side to end.
    private void End()
    {
        List<EpollConnection> left = [];
        lock (_lock)
        {
            _hasEnded = true;
            left.AddRange(_slots.OfType<EpollConnection>());
        }

        TakePosted();
        left.ForEach(connection => connection.Abort());
        left.ForEach(connection => connection.OnPosted());
    }
}
