using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using EventDescriptor = NodeAgent.Rpc.Blocking.Transport.EventDescriptor;
using Win32Exception = System.ComponentModel.Win32Exception;

namespace NodeAgent.Rpc.Server.Transport;

/// <summary>What epoll says of one descriptor (sys/epoll.h).</summary>
[Flags]
internal enum EpollEvents : uint
{
    In = 0x1,
    Out = 0x4,
    Error = 0x8,
    HangUp = 0x10,
    PeerHangUp = 0x2000,
    EdgeTriggered = 0x8000_0000,
}

/// <summary>An epoll(7) instance. Descriptors leave it by being closed.</summary>
internal sealed unsafe partial class EpollDescriptor : SafeHandleZeroOrMinusOneIsInvalid
{
    private const int CloseOnExec = 0x80000; // EPOLL_CLOEXEC
    private const int Add = 1; // EPOLL_CTL_ADD
    private const int Interrupted = 4; // EINTR

    // struct epoll_event is packed on x86 and only there: a 32-bit mask, then 64 bits of the caller's.
    private static readonly bool IsPacked = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86;
    private static readonly int EventBytes = IsPacked ? 12 : 16;
    private static readonly int KeyOffset = IsPacked ? 4 : 8;

    /// <summary>For the marshaller.</summary>
    public EpollDescriptor()
        : base(ownsHandle: true)
    {
    }

    /// <exception cref="Win32Exception">No descriptor is left.</exception>
    internal static EpollDescriptor Create()
    {
        EpollDescriptor created = CreateEpoll(CloseOnExec);
        return created.IsInvalid ? throw new Win32Exception(Marshal.GetLastPInvokeError()) : created;
    }

    /// <summary>Bytes for the results of a wait that reports so many descriptors at most.</summary>
    internal static byte[] BufferFor(int events) => GC.AllocateUninitializedArray<byte>(events * EventBytes, pinned: true);

    /// <summary>Reports this socket under a key from now on, until it is closed.</summary>
    /// <exception cref="Win32Exception">The system's limit of watched descriptors is reached (fs.epoll.max_user_watches).</exception>
    internal void Watch(SafeSocketHandle socket, EpollEvents events, ulong key) => AddAny(socket, events, key);

    /// <summary>Reports the event under a key as long as it is signalled.</summary>
    internal void Watch(EventDescriptor wake, ulong key) => AddAny(wake, EpollEvents.In, key);

    /// <summary>Waits; gives the number of results in the buffer, which is 0 when a signal or the end of the time came first.</summary>
    /// <param name="buffer">From <see cref="BufferFor"/>.</param>
    /// <param name="milliseconds">How long; negative: until something happens.</param>
    internal int Wait(byte[] buffer, int milliseconds)
    {
        fixed (byte* events = buffer)
        {
            int count = WaitForEvents(this, events, buffer.Length / EventBytes, milliseconds);
            return count >= 0 ? count
                : Marshal.GetLastPInvokeError() == Interrupted ? 0
                : throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>One result of the last wait.</summary>
    internal static (EpollEvents Events, ulong Key) Result(byte[] buffer, int index)
    {
        ref byte at = ref buffer[index * EventBytes];
        return ((EpollEvents)Unsafe.ReadUnaligned<uint>(ref at), Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, KeyOffset)));
    }

    protected override bool ReleaseHandle() => Close(handle) == 0;

    private void AddAny(SafeHandle descriptor, EpollEvents events, ulong key)
    {
        byte* description = stackalloc byte[EventBytes];
        Unsafe.WriteUnaligned(description, (uint)events);
        Unsafe.WriteUnaligned(description + KeyOffset, key);
        if (Control(this, Add, descriptor, description) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial EpollDescriptor CreateEpoll(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int Control(EpollDescriptor epoll, int operation, SafeHandle descriptor, byte* description);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int WaitForEvents(EpollDescriptor epoll, byte* events, int most, int milliseconds);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(nint descriptor);
}
