using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NodeAgent.Actuation.Local;

/// <summary>Who is at the other end of a local socket, as the kernel noted it when the connection was made (unix(7), SO_PEERCRED).</summary>
[SupportedOSPlatform("linux")]
public static partial class PeerCredentials
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int PeerCredentialsOption = 17; // SO_PEERCRED
    private const int UserOffset = 4; // struct ucred: pid 0, uid 4, gid 8
    private const int Bytes = 12;

    /// <summary>The user id of this process.</summary>
    public static uint Own => GetEffectiveUser();

    /// <summary>The user id of the process that connected; null: the kernel does not say.</summary>
    public static uint? UserOf(Socket connection)
    {
        Span<byte> credentials = stackalloc byte[Bytes];
        try
        {
            return connection.GetRawSocketOption(SocketLevel, PeerCredentialsOption, credentials) == Bytes
                ? MemoryMarshal.Read<uint>(credentials[UserOffset..])
                : null;
        }
        catch (SocketException)
        {
            // The caller refuses whom it does not know.
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();
}
