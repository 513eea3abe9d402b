using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using NodeAgent.Rpc;
using NodeAgent.V1;

namespace NodeAgent.EndToEnd.Tests.Faults.Truth;

/// <summary>What the store has of one node's ticks.</summary>
/// <param name="WallUnixMs">The distinct ticks, named by the value of node_time_seconds in them.</param>
/// <param name="Samples">Samples of that series; more than the ticks: some are there twice.</param>
internal sealed record StoredTicks(IReadOnlySet<long> WallUnixMs, long Samples);

/// <summary>
/// Asks the aggregator, through its public API and as an operator, which ticks it has: node_time_seconds holds each tick's wall time
/// as its value, so a tick is known by what was stored, not by where.
/// </summary>
internal sealed class TickReader : IDisposable
{
    // Shorter than the shortest distance of two ticks, so that a window rarely holds two; where it does, it is looked at again.
    private const int StepMs = 50;
    private const int MostSteps = 10_000;
    private const string Metric = "node_time_seconds";

    private readonly X509Certificate2 _identity;
    private readonly RpcChannel _channel;
    private readonly Query.QueryClient _query;

    /// <param name="address">The aggregator.</param>
    /// <param name="fleet">Folder made by <c>nodectl fleet init</c>.</param>
    internal TickReader(IPEndPoint address, string fleet)
    {
        _identity = X509Certificate2.CreateFromPemFile(Path.Combine(fleet, "operators", "local.crt"), Path.Combine(fleet, "operators", "local.key"));
        _channel = RpcChannel.ForAddress(new Uri($"https://{address}"), new RpcChannelOptions
        {
            MaxReceiveMessageSize = 64 << 20,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            Tls = () => new SslClientAuthenticationOptions
            {
                TargetHost = address.Address.ToString(),
                ClientCertificates = [_identity],
                ApplicationProtocols = [SslApplicationProtocol.Http2],
#pragma warning disable CA5359 // A reader on loopback in a test; the product's own check has tests of its own.
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
            },
        });
        _query = new Query.QueryClient(_channel);
    }

    internal Query.QueryClient Query => _query;

    public void Dispose()
    {
        _channel.Dispose();
        _identity.Dispose();
    }

    /// <summary>Everything stored of a node between two moments.</summary>
    internal async Task<StoredTicks> ReadAsync(string node, long fromUnixMs, long toUnixMs)
    {
        HashSet<long> ticks = [];
        long samples = 0;
        for (long start = fromUnixMs; start <= toUnixMs; start += (long)StepMs * MostSteps)
        {
            long end = Math.Min(toUnixMs + StepMs, start + ((long)StepMs * (MostSteps - 1)));
            double[] counts = await RangeAsync($"count_over_time({Metric}{{node=\"{node}\"}}[{StepMs}ms])", start, end, StepMs).ConfigureAwait(false);
            double[] last = await RangeAsync($"last_over_time({Metric}{{node=\"{node}\"}}[{StepMs}ms])", start, end, StepMs).ConfigureAwait(false);
            for (int i = 0; i < counts.Length; i++)
            {
                if (double.IsNaN(counts[i]))
                {
                    continue;
                }

                samples += (long)counts[i];
                ticks.Add(ToUnixMs(last[i]));
                if (counts[i] > 1)
                {
                    ticks.UnionWith(await LookCloserAsync(node, start + ((long)i * StepMs)).ConfigureAwait(false));
                }
            }
        }

        return new StoredTicks(ticks, samples);
    }

    /// <summary>The newest value of an expression with one result, or null.</summary>
    internal async Task<double?> InstantAsync(string expression)
    {
        QueryResponse answer = await _query.InstantAsync(
            new InstantRequest { Query = new QueryInput { Expression = expression } }, deadline: Deadline()).ConfigureAwait(false);
        return answer.Results.Count == 0 ? null : answer.Results[0].Value;
    }

    internal async Task<GetStatusResponse> StatusAsync() =>
        await _query.GetStatusAsync(new GetStatusRequest(), deadline: Deadline()).ConfigureAwait(false);

    internal async Task<Node?> NodeAsync(string name)
    {
        ListNodesResponse answer = await _query.ListNodesAsync(new ListNodesRequest(), deadline: Deadline()).ConfigureAwait(false);
        return answer.Nodes.FirstOrDefault(node => node.Name == name);
    }

    private async Task<IEnumerable<long>> LookCloserAsync(string node, long end)
    {
        double[] each = await RangeAsync($"last_over_time({Metric}{{node=\"{node}\"}}[1ms])", end - StepMs + 1, end, 1).ConfigureAwait(false);
        return each.Where(value => !double.IsNaN(value)).Select(ToUnixMs);
    }

    private async Task<double[]> RangeAsync(string expression, long start, long end, long stepMs)
    {
        double[] values = [];
        using AsyncServerStreamingCall<RangeResponse> call = _query.Range(
            new RangeRequest
            {
                Query = new QueryInput { Expression = expression },
                StartUnixMs = start,
                EndUnixMs = end,
                StepMs = (ulong)stepMs,
            },
            deadline: Deadline());
        while (await call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
        {
            RangeResponse part = call.ResponseStream.Current;
            if (part.Values.Count > 0)
            {
                Assert.Equal(start, part.StartUnixMs);
                Assert.True(values.Length == 0, $"two series for {expression}");
                values = [.. part.Values];
            }
        }

        return values;
    }

    private static long ToUnixMs(double seconds) => (long)Math.Round(seconds * 1000);

#pragma warning disable RS0030 // A deadline on the real clock, for a real process.
    private static DateTime Deadline() => DateTime.UtcNow + TimeSpan.FromSeconds(60);
#pragma warning restore RS0030
}
