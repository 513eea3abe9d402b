using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace NodeAgent.Aggregator.Sinks;

/// <summary>What an engine's answer means for the lines that were sent.</summary>
internal enum SinkVerdict
{
    /// <summary>They are there.</summary>
    Taken,

    /// <summary>Not now: try again later.</summary>
    Later,

    /// <summary>Too much at once: try again with less.</summary>
    TooLarge,

    /// <summary>There is something wrong with these lines; the same lines will be refused again.</summary>
    Bad,

    /// <summary>The engine does not know us or the place; lines are fine. Tried again, as somebody may mend it.</summary>
    Misconfigured,
}

/// <summary>An answer.</summary>
/// <param name="Verdict">What it means.</param>
/// <param name="Reason">For people.</param>
/// <param name="RetryAfter">How long the engine wants to be left alone; null: it did not say.</param>
internal sealed record SinkReply(SinkVerdict Verdict, string Reason, TimeSpan? RetryAfter = null);

/// <summary>An engine's address, and how it wants to be written to and answers.</summary>
internal sealed class SinkEndpoint
{
    private const int MaxReason = 300;

    private readonly HttpClient _http;
    private readonly AuthenticationHeaderValue? _authorisation;
    private readonly TimeProvider _time;

    private SinkEndpoint(Uri uri, AuthenticationHeaderValue? authorisation, HttpClient http, TimeProvider time)
    {
        Uri = uri;
        _authorisation = authorisation;
        _http = http;
        _time = time;
    }

    /// <summary>Where requests go.</summary>
    internal Uri Uri { get; }

    /// <summary>Tells destinations apart: a place in the log is of one of them.</summary>
    internal ulong Identity => System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(
        System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(Uri.AbsoluteUri)));

    /// <summary>Null: a file with a secret cannot be read, and <paramref name="problem"/> says why.</summary>
    internal static SinkEndpoint? TryMake(SinkSettings settings, HttpClient http, TimeProvider time, out string problem)
    {
        AuthenticationHeaderValue? authorisation = Authorisation(settings, out problem);
        return problem.Length > 0 ? null : new SinkEndpoint(UriOf(settings), authorisation, http, time);
    }

    /// <summary>The address to write to.</summary>
    internal static Uri UriOf(SinkSettings settings)
    {
        string root = settings.Url!.AbsoluteUri.TrimEnd('/');
        return new Uri(settings.Kind switch
        {
            SinkKind.VictoriaMetrics => $"{root}/write?precision=ms",
            SinkKind.VictoriaMetricsCluster => $"{root}/insert/{settings.Tenant}/influx/write?precision=ms",
            SinkKind.Influxdb1 => $"{root}/write?db={Uri.EscapeDataString(settings.Database)}&precision=ms",
            _ => $"{root}/api/v2/write?{(settings.Organisation is { } org ? $"org={Uri.EscapeDataString(org)}&" : "")}bucket={Uri.EscapeDataString(settings.Bucket!)}&precision=ms",
        });
    }

    /// <summary>Compresses lines for <see cref="SendAsync"/>.</summary>
    internal static byte[] Compress(ReadOnlySpan<byte> lines)
    {
        using MemoryStream body = new();
        using (GZipStream gzip = new(body, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(lines);
        }

        return body.ToArray();
    }

    /// <summary>Sends a compressed body; never throws for what the network or the engine does.</summary>
    internal async Task<SinkReply> SendAsync(byte[] body, CancellationToken cancellation)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, Uri) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("text/plain") { CharSet = "utf-8" };
        request.Content.Headers.ContentEncoding.Add("gzip");
        request.Headers.Authorization = _authorisation;
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, cancellation).ConfigureAwait(false);
            string text = response.IsSuccessStatusCode ? "" : await ReadReasonAsync(response, cancellation).ConfigureAwait(false);
            return new SinkReply(VerdictOf(response.StatusCode), $"{(int)response.StatusCode} {text}".TrimEnd(), RetryAfter(response.Headers.RetryAfter));
        }
        catch (HttpRequestException e)
        {
            return new SinkReply(SinkVerdict.Later, e.Message);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new SinkReply(SinkVerdict.Later, $"no answer within {_http.Timeout}");
        }
    }

    /// <summary>What a status says about the lines. 429 and 503 are load; 408 and the other 5xx may pass.</summary>
    internal static SinkVerdict VerdictOf(HttpStatusCode status) => (int)status switch
    {
        >= 200 and < 300 => SinkVerdict.Taken,
        413 => SinkVerdict.TooLarge,
        400 or 422 => SinkVerdict.Bad,
        408 or 425 or 429 or >= 500 => SinkVerdict.Later,
        _ => SinkVerdict.Misconfigured, // 401, 403, 404 (no such database), redirects, 405 ...: the lines are not to blame
    };

    private static async Task<string> ReadReasonAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        string text = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
        string line = text.ReplaceLineEndings(" ").Trim();
        return line.Length <= MaxReason ? line : line[..MaxReason];
    }

    private TimeSpan? RetryAfter(RetryConditionHeaderValue? header)
    {
        TimeSpan? wanted = header?.Delta ?? (header?.Date is { } date ? date - _time.GetUtcNow() : null);
        return wanted is { } wait ? (wait > TimeSpan.Zero ? wait : TimeSpan.Zero) : null;
    }

    private static AuthenticationHeaderValue? Authorisation(SinkSettings settings, out string problem)
    {
        problem = "";
        string? path = settings.TokenFile ?? settings.PasswordFile;
        if (path is null)
        {
            return null;
        }

        try
        {
            string secret = File.ReadAllText(path).Trim();
            return settings.TokenFile is not null
                ? new AuthenticationHeaderValue("Token", secret)
                : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{settings.User}:{secret}")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"{path}: {e.Message}";
            return null;
        }
    }
}
