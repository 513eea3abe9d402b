using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace NodeAgent.Hosting.Lifetime;

/// <summary>
/// Tells systemd how we are, by the protocol of sd_notify(3): one datagram to <c>NOTIFY_SOCKET</c>, a path or an abstract name
/// (<c>@</c>). Without that variable every call does nothing. Never waits and never throws; failures are counted.
/// </summary>
public sealed class ServiceNotifier : IDisposable
{
    private readonly Socket? _socket;
    private readonly SocketAddress? _address;
    private long _failures;

    /// <param name="notifySocket">The value of <c>NOTIFY_SOCKET</c>, null when unset.</param>
    /// <param name="watchdogMicroseconds">The value of <c>WATCHDOG_USEC</c>, null when unset.</param>
    /// <param name="watchdogPid">The value of <c>WATCHDOG_PID</c>, null when unset: then the watchdog is ours.</param>
    public ServiceNotifier(string? notifySocket, string? watchdogMicroseconds = null, string? watchdogPid = null)
    {
        if (!TryParseAddress(notifySocket, out string? path))
        {
            return;
        }

        _address = new UnixDomainSocketEndPoint(path).Serialize();
        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
        WatchdogInterval = HalfOf(watchdogMicroseconds, watchdogPid);
    }

    /// <summary>True when a service manager listens.</summary>
    public bool IsConnected => _socket is not null;

    /// <summary>
    /// How often to call <see cref="Watchdog"/>, null when nobody watches: half of the limit, as sd_watchdog_enabled(3) recommends.
    /// Beat from the loop whose life matters, not from a timer: a timer beats on in a process that hangs.
    /// </summary>
    public TimeSpan? WatchdogInterval { get; }

    /// <summary>Another manager that wants to know when the program is ready and when it stops, such as that of Windows. Called on any thread.</summary>
    internal Action<ServicePhase>? OnPhase { get; init; }

    /// <summary>Messages that could not be sent.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>Start-up is over, or a reload is.</summary>
    public void Ready(string status)
    {
        OnPhase?.Invoke(ServicePhase.Ready);
        Send($"READY=1\nSTATUS={OneLine(status)}");
    }

    /// <summary>One line for <c>systemctl status</c>.</summary>
    public void Status(string status) => Send($"STATUS={OneLine(status)}");

    /// <summary>A reload begins; <see cref="Ready"/> ends it. For <c>Type=notify-reload</c>, which wants CLOCK_MONOTONIC in microseconds.</summary>
    public void Reloading(TimeProvider time) =>
        Send($"RELOADING=1\nMONOTONIC_USEC={(long)(time.GetTimestamp() * (1e6 / time.TimestampFrequency))}");

    /// <summary>Stopping has begun.</summary>
    public void Stopping(string status)
    {
        OnPhase?.Invoke(ServicePhase.Stopping);
        Send($"STOPPING=1\nSTATUS={OneLine(status)}");
    }

    /// <summary>Still alive; allocates nothing.</summary>
    public void Watchdog() => Send("WATCHDOG=1"u8);

    /// <summary>Closes the socket; later calls do nothing but count.</summary>
    public void Dispose() => _socket?.Dispose();

    internal static bool TryParseAddress(string? notifySocket, [NotNullWhen(true)] out string? path)
    {
        // "vsock:" addresses exist for virtual machines' own system managers, not for services.
        path = notifySocket switch
        {
            { Length: > 1 } when notifySocket[0] == '@' => "\0" + notifySocket[1..],
            { Length: > 1 } when notifySocket[0] == '/' => notifySocket,
            _ => null,
        };
        return path is not null;
    }

    private static TimeSpan? HalfOf(string? microseconds, string? pid)
    {
        bool ours = pid is null || (int.TryParse(pid, out int id) && id == Environment.ProcessId);
        return ours && long.TryParse(microseconds, out long limit) && limit > 0 ? TimeSpan.FromMicroseconds(limit / 2) : null;
    }

    // The protocol is lines of KEY=VALUE: a line break in a status would start a key of its own.
    private static string OneLine(string status) => status.ReplaceLineEndings(" ");

    private void Send(string message)
    {
        if (_socket is not null)
        {
            Send(Encoding.UTF8.GetBytes(message));
        }
    }

    private void Send(ReadOnlySpan<byte> message)
    {
        if (_socket is null)
        {
            return;
        }

        try
        {
            _socket.SendTo(message, SocketFlags.None, _address!);
        }
        catch (Exception unsent) when (unsent is SocketException or ObjectDisposedException)
        {
            Interlocked.Increment(ref _failures);
        }
    }
}

/// <summary>What every service manager wants to know.</summary>
internal enum ServicePhase
{
    Ready,
    Stopping,
}
