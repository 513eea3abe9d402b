using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>A service manager that only listens: a real datagram socket of the kind systemd names in NOTIFY_SOCKET.</summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<(TimeSpan At, string Text)> _messages = [];
    private readonly string _path;
    private readonly Task _listening;

    internal NotifySocket(string path)
    {
        _path = path;
        _socket.Bind(new UnixDomainSocketEndPoint(path));
        _listening = ListenAsync();
    }

    internal bool IsReady => Count("READY=1") > 0;

    /// <summary>A program that is watched: it must be heard of within the limit.</summary>
    internal Launcher Launcher(TimeSpan limit) =>
        Rig.Launcher.Plain.And("NOTIFY_SOCKET", _path).And("WATCHDOG_USEC", ((long)limit.TotalMicroseconds).ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Messages that begin with this line.</summary>
    internal int Count(string line)
    {
        lock (_lock)
        {
            return _messages.Count(message => message.Text == line || message.Text.StartsWith(line + "\n", StringComparison.Ordinal));
        }
    }

    /// <summary>Times between two beats, and from the last one until now.</summary>
    internal TimeSpan LongestSilence()
    {
        lock (_lock)
        {
            TimeSpan[] beats = [.. _messages.Where(message => message.Text == "WATCHDOG=1").Select(message => message.At), _clock.Elapsed];
            return beats.Zip(beats.Skip(1), (a, b) => b - a).DefaultIfEmpty().Max();
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _listening.GetAwaiter().GetResult();
    }

    private async Task ListenAsync()
    {
        byte[] buffer = new byte[4096];
        while (true)
        {
            try
            {
                int length = await _socket.ReceiveAsync(buffer).ConfigureAwait(false);
                lock (_lock)
                {
                    _messages.Add((_clock.Elapsed, Encoding.UTF8.GetString(buffer, 0, length)));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The socket was closed, which is how it is told to stop.
                return;
            }
        }
    }
}
