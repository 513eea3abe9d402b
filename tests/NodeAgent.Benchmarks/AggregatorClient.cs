using Grpc.Core;
using NodeAgent.Rpc;
using NodeAgent.Rpc.Security;
using NodeAgent.V1;

namespace NodeAgent.Benchmarks;

/// <summary>Asks an aggregator what it counted.</summary>
internal sealed class AggregatorClient : IDisposable
{
    private readonly RpcChannel _channel;
    private readonly Query.QueryClient _query;

    private AggregatorClient(RpcChannel channel)
    {
        _channel = channel;
        _query = new Query.QueryClient(channel);
    }

    internal static AggregatorClient Plaintext(string address) => new(RpcChannel.ForAddress($"http://{address}"));

    internal static AggregatorClient Tls(string address, string ca, string certificate, string key)
    {
        string error = "";
        if (MutualTls.TryLoadAuthorities(ca, out error) is not { } authorities || MutualTls.TryLoadIdentity(certificate, key, out error) is not { } own)
        {
            throw new InvalidOperationException(error);
        }

        return new AggregatorClient(RpcChannel.ForAddress(
            $"https://{address}", new RpcChannelOptions { Tls = () => MutualTls.ClientOptions("127.0.0.1", authorities, own) }));
    }

    internal async Task<GetStatusResponse> StatusAsync() => await _query.GetStatusAsync(new GetStatusRequest()).ResponseAsync.ConfigureAwait(false);

    internal async Task<double?> ValueAsync(string expression)
    {
        QueryResponse response = await _query.InstantAsync(new InstantRequest { Query = new QueryInput { Expression = expression } }).ResponseAsync.ConfigureAwait(false);
        return response.Results.Count > 0 ? response.Results[0].Value : null;
    }

    /// <summary>Reads a whole range; returns its bytes.</summary>
    internal async Task<long> RangeAsync(string expression, long startUnixMs, long endUnixMs, ulong stepMs)
    {
        RangeRequest request = new() { Query = new QueryInput { Expression = expression }, StartUnixMs = startUnixMs, EndUnixMs = endUnixMs, StepMs = stepMs };
        using AsyncServerStreamingCall<RangeResponse> call = _query.Range(request);
        long bytes = 0;
        while (await call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
        {
            bytes += call.ResponseStream.Current.CalculateSize();
        }

        return bytes;
    }

    internal async Task<ulong> SeriesAsync()
    {
        using AsyncServerStreamingCall<ListSeriesResponse> call = _query.ListSeries(new ListSeriesRequest());
        ulong total = 0;
        while (await call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
        {
            total = Math.Max(total, call.ResponseStream.Current.Total);
        }

        return total;
    }

    public void Dispose() => _channel.Dispose();
}
