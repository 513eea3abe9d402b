using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using NodeAgent.Aggregator.Configuration;
using NodeAgent.Aggregator.Sinks;
using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Remote;

/// <summary>
/// The links to other engines, opened before anything is served: where samples go on to, and where expressions are answered from. Owns the
/// connections to both.
/// </summary>
internal sealed class EngineLinks : IAsyncDisposable
{
    private readonly HttpClient _sinkHttp;
    private readonly HttpClient _remoteHttp;

    private EngineLinks(HttpClient sinkHttp, HttpClient remoteHttp, Sink? sink, ISeriesReader queried)
    {
        _sinkHttp = sinkHttp;
        _remoteHttp = remoteHttp;
        Sink = sink;
        Queried = queried;
    }

    /// <summary>Null: samples go nowhere else, or the sink cannot start, which is in the log.</summary>
    internal Sink? Sink { get; }

    /// <summary>What expressions are answered from.</summary>
    internal ISeriesReader Queried { get; }

    /// <summary>
    /// False: the settings name an engine to answer from, and a secret for it cannot be read. That is no reason to answer from elsewhere: people
    /// would compare the numbers of two stores.
    /// </summary>
    /// <param name="options">The aggregator's.</param>
    /// <param name="sinkParts">What a sink stands on, with its client, which is made here.</param>
    /// <param name="store">The own store.</param>
    /// <param name="log">Where a problem goes.</param>
    /// <param name="links">What was opened.</param>
    internal static bool TryOpen(
        AggregatorOptions options, Func<HttpClient, SinkParts> sinkParts, ISeriesReader store, ILogger log, [NotNullWhen(true)] out EngineLinks? links)
    {
        links = null;
        HttpClient remoteHttp = new() { Timeout = options.RemoteRead.Timeout };
        RemoteStore? remote = RemoteStore.TryMake(options.RemoteRead, remoteHttp, store, out string problem);
        if (problem.Length > 0)
        {
            remoteHttp.Dispose();
            log.RemoteReadUnusable(problem);
            return false;
        }

        HttpClient sinkHttp = Sink.Client(options.Sink);
        links = new EngineLinks(sinkHttp, remoteHttp, Sink.TryOpen(options.Sink, sinkParts(sinkHttp)), (ISeriesReader?)remote ?? store);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        if (Sink is not null)
        {
            await Sink.DisposeAsync().ConfigureAwait(false);
        }

        _sinkHttp.Dispose();
        _remoteHttp.Dispose();
    }
}
