using System.Text;

namespace NodeAgent.Rpc.Blocking.Hpack;

/// <summary>One header field as bytes.</summary>
internal readonly record struct HpackField(byte[] Name, byte[] Value);

/// <summary>RFC 7541, appendix A.</summary>
internal static class HpackStaticTable
{
    internal const int Authority = 1;
    internal const int MethodPost = 3;
    internal const int Path = 4;
    internal const int SchemeHttp = 6;
    internal const int SchemeHttps = 7;
    internal const int ContentType = 31;
    internal const int UserAgent = 58;

    /// <summary>Indices run from 1 to this.</summary>
    internal const int Count = 61;

    private static readonly HpackField[] Fields =
    [
        F(":authority"), F(":method", "GET"), F(":method", "POST"), F(":path", "/"), F(":path", "/index.html"), F(":scheme", "http"),
        F(":scheme", "https"), F(":status", "200"), F(":status", "204"), F(":status", "206"), F(":status", "304"), F(":status", "400"),
        F(":status", "404"), F(":status", "500"), F("accept-charset"), F("accept-encoding", "gzip, deflate"), F("accept-language"),
        F("accept-ranges"), F("accept"), F("access-control-allow-origin"), F("age"), F("allow"), F("authorization"), F("cache-control"),
        F("content-disposition"), F("content-encoding"), F("content-language"), F("content-length"), F("content-location"),
        F("content-range"), F("content-type"), F("cookie"), F("date"), F("etag"), F("expect"), F("expires"), F("from"), F("host"),
        F("if-match"), F("if-modified-since"), F("if-none-match"), F("if-range"), F("if-unmodified-since"), F("last-modified"), F("link"),
        F("location"), F("max-forwards"), F("proxy-authenticate"), F("proxy-authorization"), F("range"), F("referer"), F("refresh"),
        F("retry-after"), F("server"), F("set-cookie"), F("strict-transport-security"), F("transfer-encoding"), F("user-agent"), F("vary"),
        F("via"), F("www-authenticate"),
    ];

    internal static HpackField Get(int index) => Fields[index - 1];

    private static HpackField F(string name, string value = "") => new(Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value));
}
