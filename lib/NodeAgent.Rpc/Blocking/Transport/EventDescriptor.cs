using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NodeAgent.Rpc.Blocking.Transport;

/// <summary>An eventfd(2).</summary>
internal sealed partial class EventDescriptor : SafeHandleZeroOrMinusOneIsInvalid
{
    private const int CloseOnExec = 0x80000; // EFD_CLOEXEC, asm-generic/fcntl.h
    private const int NonBlocking = 0x800; // EFD_NONBLOCK

    /// <summary>For the marshaller.</summary>
    public EventDescriptor()
        : base(ownsHandle: true)
    {
    }

    /// <exception cref="Win32Exception">No descriptor is left.</exception>
    internal static EventDescriptor Create()
    {
        EventDescriptor created = CreateEvent(0, CloseOnExec | NonBlocking);
        return created.IsInvalid ? throw new Win32Exception(Marshal.GetLastPInvokeError()) : created;
    }

    // The only failure of a write is a full counter, which is set; of a read, an empty one, which is clear.
    internal void Signal() => Write(this, 1, sizeof(ulong));

    internal void Clear() => Read(this, out _, sizeof(ulong));

    protected override bool ReleaseHandle() => Close(handle) == 0;

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial EventDescriptor CreateEvent(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(EventDescriptor descriptor, in ulong value, nuint count);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(EventDescriptor descriptor, out ulong value, nuint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(nint descriptor);
}
