using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Aggregator.Tests.Sinks;

/// <summary>
/// NOT a real server: stands in for InfluxDB 2.x/3.x and for a cluster's vminsert, of which this system has no package. It takes a request
/// only where every part of it is what their references say, and answers with their statuses: <c>POST /api/v2/write</c> of the InfluxDB
/// v2 API (docs.influxdata.com: token, org, bucket, precision ns|us|ms|s, gzip), <c>/insert/ACCOUNT[:PROJECT]/influx/write</c> of
/// docs.victoriametrics.com, "URL format" of the cluster version.
/// </summary>
internal sealed partial class StrictLookAlike : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Func<HttpListenerRequest, (int Status, string Body)?> _check;
    private readonly List<LinePoint> _points = [];
    private readonly List<string> _refusals = [];

    private StrictLookAlike(Func<HttpListenerRequest, (int, string)?> check)
    {
        _check = check;
        Url = new Uri($"http://127.0.0.1:{LocalPair.FreePort()}/");
        _listener.Prefixes.Add(Url.AbsoluteUri);
        _listener.Start();
        Serving = ServeAsync();
    }

    internal Uri Url { get; }

    internal Task Serving { get; }

    internal IReadOnlyList<LinePoint> Points
    {
        get
        {
            lock (_points)
            {
                return [.. _points];
            }
        }
    }

    /// <summary>Why requests were not taken.</summary>
    internal IReadOnlyList<string> Refusals
    {
        get
        {
            lock (_points)
            {
                return [.. _refusals];
            }
        }
    }

    /// <summary>Of InfluxDB 2.x, with one organisation, one bucket and one token that may write to it.</summary>
    internal static StrictLookAlike OfInfluxdb2(string organisation, string bucket, string token) => new(request =>
        request.Url!.AbsolutePath != "/api/v2/write" ? (404, """{"code":"not found","message":"path not found"}""")
        : request.Headers["Authorization"] != $"Token {token}" ? (401, """{"code":"unauthorized","message":"unauthorized access"}""")
        : Query(request) != $"bucket={bucket}&org={organisation}&precision=ms" ? (404, """{"code":"not found","message":"bucket not found"}""")
        : null);

    /// <summary>Of vminsert, for one tenant.</summary>
    internal static StrictLookAlike OfVminsert(string tenant) => new(request =>
        request.Url!.AbsolutePath != $"/insert/{tenant}/influx/write" || !Tenant().IsMatch(tenant) ? (400, "unsupported path requested")
        : Query(request) != "precision=ms" ? (400, "unexpected query arguments")
        : null);

    public void Dispose() => _listener.Close();

    private static string Query(HttpListenerRequest request) => string.Join(
        '&', request.QueryString.AllKeys.Order(StringComparer.Ordinal).Select(key => $"{key}={request.QueryString[key]}"));

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return; // closed: the test is over
            }

            (int status, string body) = await AnswerAsync(context.Request);
            context.Response.StatusCode = status;
            context.Response.Close(Encoding.UTF8.GetBytes(body), willBlock: false);
        }
    }

    private async Task<(int Status, string Body)> AnswerAsync(HttpListenerRequest request)
    {
        using MemoryStream lines = new();
        (int Status, string Body)? wrong = Shape(request) ?? _check(request);
        if (wrong is null)
        {
            await using GZipStream gzip = new(request.InputStream, CompressionMode.Decompress);
            await gzip.CopyToAsync(lines);
            wrong = Encoding.UTF8.GetString(lines.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !Line().IsMatch(line))
                .Select(line => ((int, string)?)(400, $"unable to parse '{line}'")).FirstOrDefault();
        }

        lock (_points)
        {
            if (wrong is { } refusal)
            {
                _refusals.Add($"{refusal.Status.ToString(CultureInfo.InvariantCulture)} {request.RawUrl}: {refusal.Body}");
                return refusal;
            }

            _points.AddRange(LinePoint.Parse(lines.ToArray()));
            return (204, "");
        }
    }

    private static (int, string)? Shape(HttpListenerRequest request) =>
        request.HttpMethod != "POST" ? (405, "method not allowed")
        : request.Headers["Content-Encoding"] != "gzip" ? (415, "a body that is not gzip")
        : request.ContentType != "text/plain; charset=utf-8" ? (415, $"unsupported content type {request.ContentType}")
        : request.ContentLength64 <= 0 ? (411, "no length")
        : null;

    [GeneratedRegex(@"^[0-9]+(:[0-9]+)?$")]
    private static partial Regex Tenant();

    // Measurement, tags in order of their names are the server's affair; fields are floats: no i, no quotes; a time in milliseconds.
    [GeneratedRegex(@"^[^ ,]+(,([^ ,=\\]|\\.)+=([^ ,=\\]|\\.|\\)+)* ([^ ,=]+=-?[0-9.eE+-]+)(,[^ ,=]+=-?[0-9.eE+-]+)* [0-9]{13}$")]
    private static partial Regex Line();
}
