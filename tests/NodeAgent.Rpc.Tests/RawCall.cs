using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Grpc.Core;

namespace NodeAgent.Rpc.Tests;

/// <summary>Requests that no gRPC client would make, through a bare HttpClient.</summary>
internal static class RawCall
{
    internal const string Unary = "/nodeagent.rpc.tests.Echo/Unary";
    internal const string ClientStream = "/nodeagent.rpc.tests.Echo/ClientStream";

    /// <summary>A frame as it should be, unless a part is given otherwise.</summary>
    internal static byte[] Frame(byte[] payload, byte flag = 0, uint? length = null)
    {
        byte[] frame = new byte[5 + payload.Length];
        frame[0] = flag;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), length ?? (uint)payload.Length);
        payload.CopyTo(frame, 5);
        return frame;
    }

    internal static async Task<Answer> SendAsync(
        RpcHost host,
        byte[] body,
        string path = Unary,
        string? contentType = "application/grpc",
        string method = "POST",
        Version? version = null,
        params (string Name, string Value)[] headers)
    {
        using SocketsHttpHandler handler = new() { UseProxy = false };
        using HttpMessageInvoker http = new(handler);
        using HttpRequestMessage request = new(new HttpMethod(method), new Uri(new Uri(host.Address), path))
        {
            Version = version ?? HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = method == "GET" ? null : new ByteArrayContent(body),
        };
        if (contentType is not null)
        {
            request.Content?.Headers.TryAddWithoutValidation("content-type", contentType);
        }

        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using CancellationTokenSource patience = new(RpcHost.Patience);
        using HttpResponseMessage response = await http.SendAsync(request, patience.Token);
        byte[] content = await response.Content.ReadAsByteArrayAsync(patience.Token);
        bool trailersOnly = response.Headers.Contains("grpc-status");
        return new Answer(
            (int)response.StatusCode,
            ParseStatus(Value(trailersOnly ? response.Headers : response.TrailingHeaders, "grpc-status")),
            Uri.UnescapeDataString(Value(trailersOnly ? response.Headers : response.TrailingHeaders, "grpc-message") ?? ""),
            trailersOnly,
            content,
            response.Headers.ToDictionary(header => header.Key, header => string.Join(",", header.Value), StringComparer.OrdinalIgnoreCase));
    }

    private static StatusCode? ParseStatus(string? text) =>
        text is null ? null : (StatusCode)int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static string? Value(System.Net.Http.Headers.HttpHeaders headers, string name) =>
        headers.TryGetValues(name, out IEnumerable<string>? values) ? values.Single() : null;

    internal sealed record Answer(
        int HttpStatus, StatusCode? Status, string Detail, bool TrailersOnly, byte[] Body, Dictionary<string, string> Headers);
}
