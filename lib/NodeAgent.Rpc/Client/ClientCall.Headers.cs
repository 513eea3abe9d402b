using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Client;

/// <summary>What a call says and reads in headers and trailers.</summary>
internal sealed partial class ClientCall
{
    private async ValueTask<HttpRequestMessage> CreateRequestAsync(RpcRequestContent content, TimeSpan? timeout)
    {
        HttpRequestMessage request = new(HttpMethod.Post, new Uri(_channel.RequestBase, _method.FullName))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        content.Headers.TryAddWithoutValidation("content-type", RpcHeaderNames.ContentType);
        HttpRequestHeaders headers = request.Headers;
        headers.TryAddWithoutValidation("te", "trailers");
        headers.TryAddWithoutValidation("user-agent", _channel.UserAgent);
        headers.TryAddWithoutValidation(RpcHeaderNames.AcceptEncoding, RpcHeaderNames.AcceptedEncodings);
        if (_channel.Options.CompressRequests)
        {
            headers.TryAddWithoutValidation(RpcHeaderNames.Encoding, RpcHeaderNames.Gzip);
        }

        if (timeout is { } left)
        {
            headers.TryAddWithoutValidation(RpcHeaderNames.Timeout, RpcTimeout.Encode(left));
        }

        if (Host is not null)
        {
            headers.Host = Host;
        }

        AddMetadata(headers, _options.Headers);
        if (_channel.Options.Credentials is not null || _options.Credentials is not null)
        {
            AddMetadata(headers, await AskCredentialsAsync().ConfigureAwait(false));
        }

        return request;
    }

    private async Task<Metadata> AskCredentialsAsync()
    {
        if (!_channel.IsTls && !_channel.Options.AllowCredentialsWithoutTls)
        {
            throw new RpcException(new Status(
                StatusCode.Unauthenticated,
                $"Credentials are not sent to {_channel.Address}: without TLS anybody on the way could read them."));
        }

        Metadata metadata = [];
        AuthInterceptorContext context = new(new Uri(_channel.RequestBase, "/" + _method.ServiceName).ToString(), _method.Name, AbortToken);
        try
        {
            await Apply(_channel.Options.Credentials).ConfigureAwait(false);
            await Apply(_options.Credentials).ConfigureAwait(false);
            return metadata;
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw new RpcException(new Status(StatusCode.Unauthenticated, $"The credentials could not be made: {e.Message}", e));
        }

        Task Apply(CallCredentials? credentials) => credentials?.ApplyAsync(context, metadata) ?? Task.CompletedTask;
    }

    private static void AddMetadata(HttpRequestHeaders headers, Metadata? metadata)
    {
        if (metadata is null)
        {
            return;
        }

        foreach (Metadata.Entry entry in metadata)
        {
            if (!RpcHeaderNames.IsReserved(entry.Key))
            {
                headers.TryAddWithoutValidation(entry.Key, MetadataCodec.EncodeValue(entry));
            }
        }
    }

    private static Status? ReadStatus(HttpHeaders headers)
    {
        string? text = FirstValue(headers, RpcHeaderNames.Status);
        if (text is null)
        {
            return null;
        }

        string detail = PercentEncoding.Decode(FirstValue(headers, RpcHeaderNames.Message) ?? "");
        return StatusMapping.Parse(text) is { } code
            ? new Status(code, detail)
            : new Status(StatusCode.Unknown, $"The server sent grpc-status '{text}', which is no number. {detail}".TrimEnd());
    }

    private static Metadata ReadMetadata(HttpHeaders headers, HttpContentHeaders? contentHeaders)
    {
        Metadata metadata = [];
        Read(headers, metadata);
        if (contentHeaders is not null)
        {
            Read(contentHeaders, metadata);
        }

        return metadata;

        static void Read(HttpHeaders from, Metadata into)
        {
            foreach (KeyValuePair<string, HeaderStringValues> header in from.NonValidated)
            {
                if (RpcHeaderNames.IsReserved(header.Key))
                {
                    continue;
                }

                foreach (string value in header.Value)
                {
                    MetadataCodec.TryDecode(header.Key, value, into);
                }
            }
        }
    }

    private static string? FirstValue(HttpHeaders headers, string name)
    {
        if (headers.NonValidated.TryGetValues(name, out HeaderStringValues values))
        {
            foreach (string value in values)
            {
                return value;
            }
        }

        return null;
    }
}
