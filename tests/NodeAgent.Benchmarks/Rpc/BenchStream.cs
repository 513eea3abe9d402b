using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Spool;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc;
using NodeAgent.V1;

namespace NodeAgent.Benchmarks.Rpc;

/// <summary>
/// One agent as far as its aggregator can tell: its own connection, hello, schema, then frames made by the agent's own encoder.
/// </summary>
internal sealed class BenchStream : IDisposable
{
    private readonly RpcChannel _channel;
    private readonly HostLikeFrames _frames;
    private readonly LastMessageSpool _spool = new();
    private readonly FrameBuilder _builder;
    private readonly BenchRecord _record = new();
    private readonly AsyncDuplexStreamingCall<BenchRecord, AcknowledgedBox> _call;
    private Task? _reading;

    /// <param name="address">The aggregator.</param>
    /// <param name="number">Which agent it is.</param>
    /// <param name="fleet">Its certificates; null: without TLS.</param>
    internal BenchStream(string address, int number, BenchFleet? fleet = null)
    {
        _frames = new HostLikeFrames(number);
        _builder = new FrameBuilder(_spool);
        string name = $"bench-{number}";
        _channel = fleet is null ? RpcChannel.ForAddress($"http://{address}")
            : RpcChannel.ForAddress($"https://{address}", new RpcChannelOptions { Tls = fleet.TlsOf(name), ConnectTimeout = TimeSpan.FromSeconds(60) });
        Metadata headers = fleet is not null ? [] : new() { { FleetIdentity.PlaintextHeader, new FleetIdentity("local", FleetRole.Agent, name).ToUri() } };
        _call = _channel.CreateCallInvoker().AsyncDuplexStreamingCall(BenchMethod.Create(), null, new CallOptions(headers));
    }

    internal ulong Acknowledged { get; private set; }

    internal ulong Sent => _spool.NextSequence - 1;

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

    /// <summary>Makes the next frame and sends it, after its schema the first time.</summary>
    internal async ValueTask SendAsync(long wallUnixMs)
    {
        _frames.Tick();
        _builder.Begin(wallUnixMs, (ulong)wallUnixMs * 1_000_000, 1);
        _builder.Add("bench", 1000, _frames.Table);
        bool first = _spool.NextSequence == 1;
        _builder.End();
        if (first && _spool.FindSchema(1, 1) is { } message)
        {
            _record.Set(message);
            await _call.RequestStream.SendAsync(_record).ConfigureAwait(false);
        }

        _record.Buffer = _spool.Message;
        _record.Length = _spool.Length;
        await _call.RequestStream.SendAsync(_record).ConfigureAwait(false);
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

    /// <summary>Keeps the one message that is about to be sent; a benchmark has nothing to survive.</summary>
    private sealed class LastMessageSpool : ISpool
    {
        private byte[] _message = new byte[4096];

        public byte[] Message => _message;

        public int Length { get; private set; }

        public ulong Epoch => 1;

        public ulong NextSequence { get; private set; } = 1;

        public ulong FirstHeldSequence => NextSequence;

        public ulong UnacknowledgedRecords => 0;

        public uint Boot => 0;

        public ulong ReadableThrough => NextSequence - 1;

        public SpoolCounts Counts => default;

        public SpoolMode Mode => SpoolMode.MemoryOnly;

        public string ModeReason => "";

        public SchemaBook Schemas { get; } = new();

        public Action? OnReadable { get; set; }

        public long HeldBytes => Length;

        public bool Append(ReadOnlySpan<byte> message, RecordKind kind, int samples = 0)
        {
            if (message.Length > _message.Length)
            {
                _message = new byte[message.Length * 2];
            }

            message.CopyTo(_message);
            Length = message.Length;
            NextSequence++;
            return true;
        }

        public void Acknowledge(ulong first, ulong last) => throw new NotSupportedException();

        public ulong StartAfter(ulong acknowledged) => throw new NotSupportedException();

        public ulong LiveStart() => throw new NotSupportedException();

        public bool TryRead(ref ulong sequence, ref byte[] destination, out int length) => throw new NotSupportedException();

        public byte[]? FindSchema(ulong sequence, uint schemaId) => Schemas.TryGet(schemaId);
    }
}
