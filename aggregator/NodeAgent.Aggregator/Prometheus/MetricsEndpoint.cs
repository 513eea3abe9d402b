using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Contracts.Identity;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Prometheus;

/// <summary>
/// The HTTP side of <see cref="MetricsSettings"/>. Two scrapes compute at once, at low priority on threads of their own; the next one is
/// told to come again, so that scraping can never hold up what comes in.
/// </summary>
/// <param name="listen">Where it listens.</param>
/// <param name="own">Writes the aggregator's own health.</param>
/// <param name="federation">The fleet's newest values.</param>
/// <param name="time">To judge certificates by.</param>
internal sealed class MetricsEndpoint(IPEndPoint listen, Action<ExpositionText> own, Federation federation, TimeProvider time) : IDisposable
{
    private const int AtOnce = 2;
    private const string JustWords = "text/plain; charset=utf-8";

    private static readonly FleetRole[] Readers = [FleetRole.Scraper, FleetRole.Viewer, FleetRole.Operator, FleetRole.Approver, FleetRole.Admin];

    private readonly SemaphoreSlim _turns = new(AtOnce);

    private volatile bool _isReady;

    /// <summary>False while the aggregator does not serve; load balancers then look elsewhere.</summary>
    internal void SetReady(bool isReady) => _isReady = isReady;

    public void Dispose() => _turns.Dispose();

    /// <summary>Whether the request came in at this endpoint's address.</summary>
    internal bool Owns(HttpContext http) => http.Connection.LocalPort == listen.Port;

    internal async Task AnswerAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        (int code, string type, byte[] body) = MayRead(http) ? await RouteAsync(http).ConfigureAwait(false)
            : Words(StatusCodes.Status403Forbidden, "this certificate may not read; a scraper's may");
        http.Response.StatusCode = code;
        http.Response.ContentType = type;
        http.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await http.Response.Body.WriteAsync(body, http.RequestAborted).ConfigureAwait(false);
        }
    }

    private bool MayRead(HttpContext http) => http.Connection.ClientCertificate is { } certificate
        ? CertificateIdentity.Read(certificate) is { } caller && Readers.Contains(caller.Role)
            && time.GetUtcNow() < new DateTimeOffset(certificate.NotAfter) // one that has ended gets a connection, to renew it
        : IPAddress.IsLoopback(listen.Address) && http.Connection.RemoteIpAddress is { } remote && IPAddress.IsLoopback(remote);

    private async Task<(int Code, string Type, byte[] Body)> RouteAsync(HttpContext http)
    {
        HttpRequest request = http.Request;
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            return Words(StatusCodes.Status405MethodNotAllowed, "only GET");
        }

        return request.Path.Value switch
        {
            "/healthz" => Words(StatusCodes.Status200OK, "ok"),
            "/readyz" => _isReady ? Words(StatusCodes.Status200OK, "ok") : Words(StatusCodes.Status503ServiceUnavailable, "starting or stopping"),
            "/metrics" => await InTurnAsync(http, own).ConfigureAwait(false),
            "/federate" => await FederateAsync(http).ConfigureAwait(false),
            _ => Words(StatusCodes.Status404NotFound, "there are /metrics, /federate?match[]=SELECTOR, /healthz and /readyz"),
        };
    }

    private async Task<(int Code, string Type, byte[] Body)> FederateAsync(HttpContext http)
    {
        string[] selectors = [.. http.Request.Query["match[]"].OfType<string>().Where(selector => selector.Length > 0)];
        return selectors.Length == 0
            ? Words(StatusCodes.Status400BadRequest, "match[] is needed, such as /federate?match[]={__name__=~\"node_load.*\"}")
            : await InTurnAsync(http, text => federation.Write(text, selectors, http.RequestAborted)).ConfigureAwait(false);
    }

    private async Task<(int Code, string Type, byte[] Body)> InTurnAsync(HttpContext http, Action<ExpositionText> write)
    {
        if (!await _turns.WaitAsync(TimeSpan.Zero, http.RequestAborted).ConfigureAwait(false))
        {
            http.Response.Headers.RetryAfter = "1";
            return Words(StatusCodes.Status503ServiceUnavailable, $"{AtOnce} scrapes are being answered; come again");
        }

        try
        {
            return await Task.Factory.StartNew(() => Compute(write), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        }
        finally
        {
            _turns.Release();
        }
    }

    private static (int Code, string Type, byte[] Body) Compute(Action<ExpositionText> write)
    {
        BackgroundThread.LowerPriority(); // the thread ends with the scrape
        ExpositionText text = new();
        try
        {
            write(text);
        }
        catch (QueryException refused)
        {
            return Words(refused.IsCallersMistake ? StatusCodes.Status400BadRequest : StatusCodes.Status422UnprocessableEntity, refused.Message);
        }

        return (StatusCodes.Status200OK, ExpositionText.ContentType, text.Take());
    }

    private static (int Code, string Type, byte[] Body) Words(int code, string words) => (code, JustWords, Encoding.UTF8.GetBytes(words + "\n"));
}
