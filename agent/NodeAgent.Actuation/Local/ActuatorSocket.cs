using System.Globalization;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace NodeAgent.Actuation.Local;

/// <summary>The socket on which the actuator is asked: one that the service manager made (sd_listen_fds(3)), or one of its own.</summary>
[SupportedOSPlatform("linux")]
public sealed class ActuatorSocket : IDisposable
{
    private const int FirstPassedFile = 3; // SD_LISTEN_FDS_START
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string? _ownPath;

    private ActuatorSocket(Socket listener, string? ownPath)
    {
        Listener = listener;
        _ownPath = ownPath;
    }

    public Socket Listener { get; }

    /// <summary>Somebody else listens as long as nobody is here: leaving when there is nothing to do loses nothing.</summary>
    public bool IsActivated => _ownPath is null;

    /// <summary>The socket that was passed; null: none was.</summary>
    /// <param name="variable">Reads an environment variable.</param>
    public static ActuatorSocket? Passed(Func<string, string?> variable)
    {
        // Both must be ours: a parent's variables may be inherited.
        if (variable("LISTEN_PID") != Environment.ProcessId.ToString(CultureInfo.InvariantCulture) || variable("LISTEN_FDS") != "1") return null;
        return new ActuatorSocket(new Socket(new SafeSocketHandle(FirstPassedFile, ownsHandle: true)), ownPath: null);
    }

    /// <summary>Makes one that only this user can reach. What is left of an earlier life is taken away; one that answers is not.</summary>
    /// <exception cref="IOException">It cannot be made, or another actuator listens there.</exception>
    public static ActuatorSocket Listen(string path)
    {
        try
        {
            if (File.Exists(path))
            {
                if (Answers(path)) throw new IOException($"{path}: another actuator listens there");
                File.Delete(path);
            }

            Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));

            // Nobody can connect before it listens, so there is no moment at which its first mode counts.
            File.SetUnixFileMode(path, OwnerOnly);
            listener.Listen(16);
            return new ActuatorSocket(listener, path);
        }
        catch (Exception e) when (e is SocketException or ArgumentException or UnauthorizedAccessException)
        {
            throw new IOException($"{path}: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        Listener.Dispose();
        if (_ownPath is not null) File.Delete(_ownPath);
    }

    private static bool Answers(string path)
    {
        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            // Nobody is there: the file is what a killed process leaves.
            return false;
        }
    }
}
