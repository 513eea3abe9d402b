using System.Globalization;
using System.Net;

namespace NodeAgent.Ctl.Connection;

/// <summary>Where the aggregator listens.</summary>
/// <param name="Host">Name or IP address, without brackets.</param>
/// <param name="Plaintext">HTTP/2 without TLS; only on loopback.</param>
internal sealed record ServerAddress(string Host, int Port, bool Plaintext)
{
    public const int DefaultPort = 7443;

    public static readonly ServerAddress Default = new("127.0.0.1", DefaultPort, Plaintext: false);

    /// <summary>Loopback by address or by the one name that RFC 6761 reserves for it.</summary>
    public bool IsLoopback =>
        IPAddress.TryParse(Host, out IPAddress? address) ? IPAddress.IsLoopback(address) : Host.Equals("localhost", StringComparison.OrdinalIgnoreCase);

    public Uri Uri => new($"{(Plaintext ? "http" : "https")}://{Authority}");

    /// <summary><c>host:port</c>, an IPv6 address in brackets.</summary>
    public string Authority => Host.Contains(':', StringComparison.Ordinal)
        ? $"[{Host}]:{Port.ToString(CultureInfo.InvariantCulture)}"
        : $"{Host}:{Port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary><c>host</c>, <c>host:port</c>, <c>[ipv6]:port</c>, each with <c>https://</c> or <c>http://</c> (plaintext) before it.</summary>
    /// <param name="problem">What is wrong with the text, when false.</param>
    public static bool TryParse(string text, out ServerAddress address, out string problem)
    {
        address = Default;
        string rest = text.Trim().TrimEnd('/');
        bool plaintext = rest.StartsWith("http://", StringComparison.OrdinalIgnoreCase);
        if (plaintext) rest = rest["http://".Length..];
        else if (rest.StartsWith("https://", StringComparison.OrdinalIgnoreCase)) rest = rest["https://".Length..];

        if (rest.Contains("://", StringComparison.Ordinal)) return Fail("only https:// and http:// are understood", out problem);
        if (rest.Contains('/', StringComparison.Ordinal)) return Fail("an address has no path", out problem);
        if (!TrySplit(rest, out string host, out string? portText)) return Fail("an IPv6 address needs brackets: [::1]:7443", out problem);
        if (host.Length == 0 || Uri.CheckHostName(host) == UriHostNameType.Unknown) return Fail("the host name is missing or has characters that no host name has", out problem);

        int port = DefaultPort;
        if (portText is not null && (!int.TryParse(portText, NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535))
        {
            return Fail($"'{portText}' is no port from 1 to 65535", out problem);
        }

        address = new ServerAddress(host, port, plaintext);
        problem = "";
        return true;
    }

    private static bool Fail(string why, out string problem)
    {
        problem = why;
        return false;
    }

    private static bool TrySplit(string text, out string host, out string? port)
    {
        port = null;
        host = text;
        if (text.StartsWith('['))
        {
            int close = text.IndexOf(']', StringComparison.Ordinal);
            if (close < 0) return false;
            host = text[1..close];
            string after = text[(close + 1)..];
            if (after.Length == 0) return true;
            if (after[0] != ':') return false;
            port = after[1..];
            return true;
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return true;
        if (text.IndexOf(':', colon + 1) >= 0) return IPAddress.TryParse(text, out _);
        host = text[..colon];
        port = text[(colon + 1)..];
        return true;
    }
}
