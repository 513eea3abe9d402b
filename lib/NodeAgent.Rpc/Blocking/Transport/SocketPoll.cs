using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace NodeAgent.Rpc.Blocking.Transport;

/// <summary>One socket to wait for.</summary>
internal struct PollTarget(Socket socket)
{
    internal readonly Socket Socket = socket;

    // Asked for once: the property tells the socket that its descriptor is out of its hands, and costs a call each time.
    internal readonly int Descriptor = OperatingSystem.IsLinux() ? (int)socket.SafeHandle.DangerousGetHandle() : -1;

    internal bool WantsWrite;

    /// <summary>Bytes, the end or an error can be read.</summary>
    internal bool CanRead;

    /// <summary>Bytes can be written, or a connect has come to its end, good or bad.</summary>
    internal bool CanWrite;
}

/// <summary>One wait for sockets, a wake and a time: poll(2) on Linux, select elsewhere.</summary>
internal static partial class SocketPoll
{
    private const short PollIn = 0x1;
    private const short PollOut = 0x4;
    private const short PollBroken = 0x8 | 0x10 | 0x20; // POLLERR, POLLHUP, POLLNVAL: the next read or write says what it is

    // Select counts microseconds in an int; a wait that ends early is begun again.
    private const int LongestSelect = 30 * 60 * 1000;

    // On the stack: more attempts to connect than this are never under way at once.
    private const int MaxTargets = 16;

    /// <summary>True: woken. Every target is always asked for reading. May return early, with nothing ready.</summary>
    internal static bool Wait(Span<PollTarget> targets, WakeHandle wake, TimeSpan timeout)
    {
        // Up, so that a wait for 0.4 ms does not become a busy loop.
        int milliseconds = timeout < TimeSpan.Zero ? 0 : (int)Math.Min(Math.Ceiling(timeout.TotalMilliseconds), int.MaxValue);
        bool woken = wake.Descriptor >= 0
            ? PollLinux(targets, wake.Descriptor, milliseconds)
            : Select(targets, wake.Loopback!, milliseconds);
        if (woken)
        {
            wake.Drain();
        }

        return woken;
    }

    private static unsafe bool PollLinux(Span<PollTarget> targets, int wake, int milliseconds)
    {
        PollDescriptor* descriptors = stackalloc PollDescriptor[MaxTargets + 1];
        descriptors[0] = new PollDescriptor { Descriptor = wake, Wanted = PollIn };
        for (int i = 0; i < targets.Length; i++)
        {
            short wanted = (short)(targets[i].WantsWrite ? PollIn | PollOut : PollIn);
            descriptors[i + 1] = new PollDescriptor { Descriptor = targets[i].Descriptor, Wanted = wanted };
        }

        // Interrupted by a signal it reports nothing, which callers take as an early return.
        int ready = Poll(descriptors, (nuint)(targets.Length + 1), milliseconds);
        for (int i = 0; i < targets.Length; i++)
        {
            short got = ready > 0 ? descriptors[i + 1].Ready : (short)0;
            targets[i].CanRead = (got & (PollIn | PollBroken)) != 0;
            targets[i].CanWrite = (got & (PollOut | PollBroken)) != 0;
        }

        return ready > 0 && descriptors[0].Ready != 0;
    }

    private static bool Select(Span<PollTarget> targets, Socket wake, int milliseconds)
    {
        List<Socket> readable = [wake];
        List<Socket> writable = [];
        List<Socket> broken = [];
        foreach (PollTarget target in targets)
        {
            readable.Add(target.Socket);
            broken.Add(target.Socket);
            if (target.WantsWrite)
            {
                writable.Add(target.Socket);
            }
        }

        Socket.Select(readable, writable, broken, TimeSpan.FromMilliseconds(Math.Min(milliseconds, LongestSelect)));
        foreach (ref PollTarget target in targets)
        {
            bool isBroken = broken.Contains(target.Socket);
            target.CanRead = isBroken || readable.Contains(target.Socket);
            target.CanWrite = isBroken || writable.Contains(target.Socket);
        }

        return readable.Contains(wake);
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static unsafe partial int Poll(PollDescriptor* descriptors, nuint count, int milliseconds);

    /// <summary>struct pollfd of poll.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Wanted;
        public short Ready;
    }
}
