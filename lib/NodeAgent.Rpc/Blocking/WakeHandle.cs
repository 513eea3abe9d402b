using System.Net;
using System.Net.Sockets;
using NodeAgent.Rpc.Blocking.Transport;

namespace NodeAgent.Rpc.Blocking;

/// <summary>
/// Wakes one thread that waits on its connection, or on nothing. Any thread may call <see cref="Wake"/>; one wake is remembered, several
/// are one. An eventfd on Linux; elsewhere a datagram socket on loopback that is connected to itself.
/// </summary>
public sealed class WakeHandle : IDisposable
{
    private readonly EventDescriptor? _event;
    private readonly Socket? _loopback;
    private int _isSet;

    /// <summary>Takes one descriptor, for as long as this lives.</summary>
    public WakeHandle()
        : this(isPortable: !OperatingSystem.IsLinux())
    {
    }

    internal WakeHandle(bool isPortable)
    {
        if (!isPortable)
        {
            _event = EventDescriptor.Create();
            Descriptor = (int)_event.DangerousGetHandle();
            return;
        }

        _loopback = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        _loopback.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _loopback.Connect(_loopback.LocalEndPoint!);
        _loopback.Blocking = false;
        Descriptor = -1;
    }

    /// <summary>For poll(2); -1 on the portable form. Valid until Dispose, which only the waiting thread may call.</summary>
    internal int Descriptor { get; }

    /// <summary>What the portable form selects on.</summary>
    internal Socket? Loopback => _loopback;

    /// <summary>Makes the present wait, or the next one, return at once. Costs a system call only where none is pending.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _isSet, 1) != 0)
        {
            return;
        }

        if (_event is not null)
        {
            _event.Signal();
        }
        else
        {
            // A full buffer is a wake that is already on its way.
            _loopback!.Send([1], SocketFlags.None, out _);
        }
    }

    /// <summary>Waits without a connection: until woken (true) or for so long (false). May return early.</summary>
    public bool Wait(TimeSpan timeout) => SocketPoll.Wait([], this, timeout == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : timeout);

    /// <inheritdoc/>
    public void Dispose()
    {
        _event?.Dispose();
        _loopback?.Dispose();
    }

    /// <summary>Forgets the wake; after a poll that reported it, before whatever it was about is looked at.</summary>
    internal void Drain()
    {
        if (_event is not null)
        {
            _event.Clear();
        }
        else
        {
            Span<byte> datagram = stackalloc byte[1];
            _loopback!.Receive(datagram, SocketFlags.None, out _);
        }

        // A wake between the two lines above and this one finds the flag set and adds nothing, which is right: its cause is already visible
        // to the thread that returns from here.
        Interlocked.Exchange(ref _isSet, 0);
    }

}
