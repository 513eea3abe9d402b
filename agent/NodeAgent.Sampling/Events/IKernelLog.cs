using Microsoft.Win32.SafeHandles;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Events;

/// <summary>What became of reading one kernel log record.</summary>
internal enum KernelLogRead
{
    Record,

    /// <summary>Nothing more now.</summary>
    Empty,

    /// <summary>Records were overwritten; the next read gives the oldest that is left. The gap in sequence numbers tells how many.</summary>
    Overrun,

    /// <summary>The record is longer than the buffer and was skipped.</summary>
    TooLong,

    /// <summary>The log cannot be read.</summary>
    Failed,
}

/// <summary>/dev/kmsg, or a script of it.</summary>
internal interface IKernelLog
{
    /// <summary>Takes the next record, without waiting.</summary>
    KernelLogRead Read(Span<byte> buffer, out int length);
}

/// <summary>
/// The kernel log through /dev/kmsg (Documentation/ABI/testing/dev-kmsg): each read is one record, and a reader of its own has a
/// position of its own, so nothing is taken away from journald. Where standard input is that device, it is used instead of opening it:
/// systemd opened it with the privilege that this process does not have (packaging/systemd/nodeagent.service.d/20-kernel-log.conf).
/// </summary>
internal sealed class DevKmsg(string path) : IKernelLog
{
    private readonly SafeFileHandle _handle = LibC.TryTakeStandardInput(path) ?? LibC.OpenNonBlocking(path);

    /// <summary>False where the device does not exist or may not be read (kernel.dmesg_restrict without CAP_SYSLOG).</summary>
    public bool IsOpen => !_handle.IsInvalid;

    public KernelLogRead Read(Span<byte> buffer, out int length)
    {
        length = 0;
        if (_handle.IsInvalid)
        {
            return KernelLogRead.Failed;
        }

        while (true)
        {
            length = LibC.Read(_handle, buffer);
            if (length > 0)
            {
                return KernelLogRead.Record;
            }

            switch (length == 0 ? LibC.EAGAIN : LibC.Errno)
            {
                case LibC.EINTR:
                    continue;
                case LibC.EAGAIN:
                    return KernelLogRead.Empty;
                case LibC.EPIPE:
                    return KernelLogRead.Overrun;
                case LibC.EINVAL:
                    return KernelLogRead.TooLong;
                default:
                    return KernelLogRead.Failed;
            }
        }
    }
}
