using System.Text;
using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Blocking.Hpack;

/// <summary>
/// The header block of a gRPC request: static table and literals only. A stream lives for days, so neither a dynamic table nor Huffman
/// would ever pay for their state.
/// </summary>
internal static class HpackEncoder
{
    private const byte Indexed = 0x80;
    private const byte LiteralNotIndexed = 0x00;

    /// <summary>Adds the whole block of a request to <paramref name="target"/>.</summary>
    internal static void WriteRequest(GrowingBuffer target, bool isTls, string authority, string path, string userAgent, Metadata? metadata)
    {
        WriteInteger(target, Indexed, 7, HpackStaticTable.MethodPost);
        WriteInteger(target, Indexed, 7, isTls ? HpackStaticTable.SchemeHttps : HpackStaticTable.SchemeHttp);
        WriteLiteral(target, HpackStaticTable.Path, path);
        WriteLiteral(target, HpackStaticTable.Authority, authority);
        WriteLiteral(target, HpackStaticTable.ContentType, RpcHeaderNames.ContentType);
        WriteLiteral(target, "te", "trailers");
        WriteLiteral(target, HpackStaticTable.UserAgent, userAgent);
        foreach (Metadata.Entry entry in metadata ?? Metadata.Empty)
        {
            if (!RpcHeaderNames.IsReserved(entry.Key))
            {
                WriteLiteral(target, entry.Key, MetadataCodec.EncodeValue(entry));
            }
        }
    }

    private static void WriteLiteral(GrowingBuffer target, int nameIndex, string value)
    {
        WriteInteger(target, LiteralNotIndexed, 4, nameIndex);
        WriteString(target, value);
    }

    private static void WriteLiteral(GrowingBuffer target, string name, string value)
    {
        WriteInteger(target, LiteralNotIndexed, 4, 0);
        WriteString(target, name);
        WriteString(target, value);
    }

    private static void WriteString(GrowingBuffer target, string text)
    {
        WriteInteger(target, 0, 7, Encoding.Latin1.GetByteCount(text));
        target.Advance(Encoding.Latin1.GetBytes(text, target.GetSpan(text.Length)));
    }

    private static void WriteInteger(GrowingBuffer target, byte pattern, int prefixBits, int value)
    {
        int mask = (1 << prefixBits) - 1;
        if (value < mask)
        {
            target.Write([(byte)(pattern | value)]);
            return;
        }

        target.Write([(byte)(pattern | mask)]);
        for (value -= mask; value >= 0x80; value >>= 7)
        {
            target.Write([(byte)(value | 0x80)]);
        }

        target.Write([(byte)value]);
    }
}
