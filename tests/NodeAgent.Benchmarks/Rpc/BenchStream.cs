using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Agent.Frames;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc;
using NodeAgent.V1;

namespace NodeAgent.Benchmarks.Rpc;

/// <summary>
/// One agent as far as its aggregator can tell: its own connection, hello, schema, then frames that the agent's own encoder made.
/// </summary>
internal sealed class BenchStream : IDisposable
{
    private readonly RpcChannel _channel;
    private readonly FrameTape _tape;
    private readonly ProtoWriter _frame = new();
    private readonly ProtoWriter _message = new();
    private readonly BenchRecord _record = new();
    private readonly AsyncDuplexStreamingCall<BenchRecord, AcknowledgedBox> _call;
    private Task? _reading;

    /// <param name="address">The aggregator.</param>
    /// <param name="number">Which agent it is.</param>
    /// <param name="fleet">Its certificates; null: without TLS.</param>
    internal BenchStream(string address, int number, BenchFleet? fleet = null)
    {
        _tape = FrameTape.Of(number);
        string name = $"bench-{number}";
        _channel = fleet is null ? RpcChannel.ForAddress($"http://{address}")
            : RpcChannel.ForAddress($"https://{address}", new RpcChannelOptions { Tls = fleet.TlsOf(name), ConnectTimeout = TimeSpan.FromSeconds(60) });
        Metadata headers = fleet is not null ? [] : new() { { FleetIdentity.PlaintextHeader, new FleetIdentity("local", FleetRole.Agent, name).ToUri() } };
        _call = _channel.CreateCallInvoker().AsyncDuplexStreamingCall(BenchMethod.Create(), null, new CallOptions(headers));
    }

    internal ulong Acknowledged { get; private set; }

    internal ulong Sent { get; private set; }

    internal async Task OpenAsync()
    {
        _record.Set(new AgentMessage { Hello = new Hello { Protocol = 1, AgentVersion = "bench", SpoolEpoch = 1, FirstHeldSequence = 1 } }.ToByteArray());
        await _call.RequestStream.WriteAsync(_record).ConfigureAwait(false);
        if (!await _call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
        {
            throw new InvalidOperationException("the aggregator closed the stream");
        }

        _reading = ReadAsync();
    }

    /// <summary>Sends the next frame, after its schema the first time.</summary>
    internal async ValueTask SendAsync(long wallUnixMs)
    {
        if (Sent == 0)
        {
            await _call.RequestStream.SendAsync(_record.Set(_tape.Schema)).ConfigureAwait(false);
        }

        _tape.Write(++Sent, wallUnixMs, _frame, _message);
        await _call.RequestStream.SendAsync(_record.Set(_message.Written)).ConfigureAwait(false);
    }

    /// <summary>Ends the stream and waits until everything sent is acknowledged.</summary>
    internal async Task CloseAsync()
    {
        await _call.RequestStream.CompleteAsync().ConfigureAwait(false);
        await _reading!.ConfigureAwait(false);
    }

    public void Dispose()
    {
        _call.Dispose();
        _channel.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
            {
                Acknowledged = _call.ResponseStream.Current.Other is null ? _call.ResponseStream.Current.Sequence
                    : throw new InvalidOperationException($"the aggregator said {_call.ResponseStream.Current.Other}");
            }
        }
        catch (RpcException e)
        {
            Failure = e.Status.ToString();
        }
    }

    /// <summary>Why the stream ended before its time.</summary>
    internal string? Failure { get; private set; }
}
