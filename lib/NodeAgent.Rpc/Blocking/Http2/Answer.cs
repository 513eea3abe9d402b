using System.Globalization;
using System.Text;
using Grpc.Core;
using NodeAgent.Rpc.Blocking.Hpack;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Blocking.Http2;

/// <summary>What the headers and trailers of an answer mean (grpc/grpc: doc/PROTOCOL-HTTP2.md, doc/http-grpc-status-mapping.md).</summary>
internal static class Answer
{
    /// <summary>The number in :status; 0 where there is none that could be one.</summary>
    internal static int ReadHttpStatus(HeaderList headers) =>
        headers.Find(":status"u8) is { Length: 3 } text
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int status)
            ? status
            : 0;

    /// <summary>RFC 9113, section 8.2.1 and 8.3: lower-case names, :status alone and first in the head, nothing of the kind in
    /// trailers.</summary>
    internal static bool IsWellFormed(HeaderList headers, bool isHead)
    {
        bool isFirst = true;
        foreach (HeaderList.Field field in headers)
        {
            bool isPseudo = field.Name.Length > 0 && field.Name[0] == (byte)':';
            if (field.Name.IsEmpty || field.Name.ContainsAnyInRange((byte)'A', (byte)'Z') || isPseudo != (isFirst && isHead))
            {
                return false;
            }

            isFirst = false;
        }

        return !isHead || ReadHttpStatus(headers) is >= 100 and <= 599;
    }

    /// <summary>The status of headers that begin a message stream: OK, or why they do not.</summary>
    internal static Status JudgeHead(HeaderList headers)
    {
        int httpStatus = ReadHttpStatus(headers);
        string? contentType = headers.Find("content-type"u8);
        return httpStatus == 200 && RpcHeaderNames.IsRpcContentType(contentType) ? Status.DefaultSuccess : NotRpc(httpStatus, contentType);
    }

    /// <summary>The status of headers that end the call.</summary>
    /// <param name="headers">Trailers, or the head where no message came.</param>
    /// <param name="isHead">The latter.</param>
    internal static Status ReadStatus(HeaderList headers, bool isHead)
    {
        if (headers.Find("grpc-status"u8) is { } text)
        {
            string detail = PercentEncoding.Decode(headers.Find("grpc-message"u8) ?? "");
            return StatusMapping.Parse(text) is { } code
                ? new Status(code, detail)
                : new Status(StatusCode.Unknown, $"The server sent grpc-status '{text}', which is no number. {detail}".TrimEnd());
        }

        if (isHead && JudgeHead(headers) is { StatusCode: not StatusCode.OK } notRpc)
        {
            return notRpc;
        }

        return NoStatus();
    }

    internal static Status NoStatus() => new(StatusCode.Unknown, "The server ended the call without a grpc-status.");

    internal static Metadata ReadTrailers(HeaderList headers)
    {
        Metadata? trailers = null;
        foreach (HeaderList.Field field in headers)
        {
            string name = Encoding.Latin1.GetString(field.Name);
            if (!RpcHeaderNames.IsReserved(name))
            {
                MetadataCodec.TryDecode(name, Encoding.Latin1.GetString(field.Value), trailers ??= []);
            }
        }

        return trailers ?? Metadata.Empty;
    }

    private static Status NotRpc(int httpStatus, string? contentType) => new(
        httpStatus == 200 ? StatusCode.Unknown : StatusMapping.FromHttpStatus(httpStatus),
        $"The server answered HTTP {httpStatus} with content type '{contentType ?? "none"}', which is no gRPC.");
}
