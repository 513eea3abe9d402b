using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Contracts.Frames;
using NodeAgent.Contracts.Series;
using NodeAgent.Rpc;
using NodeAgent.V1;
using ContractKind = NodeAgent.Contracts.Metrics.MetricKind;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>
/// Something that has an agent's certificate and says what it likes: duplicates, poison, far too many series. Speaks the contract through
/// the generated stub; its frames are made by the contract's own encoder.
/// </summary>
internal sealed class CraftedAgent : IDisposable
{
    private readonly X509Certificate2 _identity;
    private readonly RpcChannel _channel;
    private readonly AgentLink.AgentLinkClient _link;

    private CraftedAgent(IPEndPoint aggregator, X509Certificate2 identity)
    {
        _identity = identity;
        _channel = RpcChannel.ForAddress(new Uri($"https://{aggregator}"), new RpcChannelOptions
        {
            Tls = () => new SslClientAuthenticationOptions
            {
                TargetHost = aggregator.Address.ToString(),
                ClientCertificates = [_identity],
                ApplicationProtocols = [SslApplicationProtocol.Http2],
#pragma warning disable CA5359 // Loopback in a test; what is under test is the other side.
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
            },
        });
        _link = new AgentLink.AgentLinkClient(_channel);
    }

    internal RpcChannel Channel => _channel;

    /// <summary>With a certificate of the test fleet, made here: two hundred runs of nodectl would take a minute.</summary>
    internal static CraftedAgent Make(IPEndPoint aggregator, string node)
    {
        using X509Certificate2 authority = X509Certificate2.CreateFromPemFile(
            Path.Combine(TestFleet.Folder, "ca.crt"), Path.Combine(TestFleet.Folder, "ca.key"));
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={node}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddUri(new Uri($"nodeagent://faults/agent/{node}"));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        using X509Certificate2 bare = request.Create(authority, authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(12));
        return new CraftedAgent(aggregator, bare.CopyWithPrivateKey(key));
    }

    /// <summary>Opens a stream and says hello.</summary>
    internal async Task<CraftedStream> OpenAsync(ulong epoch, ulong firstHeld = 1)
    {
        CraftedStream stream = new(_link.Connect());
        await stream.SendAsync(new AgentMessage
        {
            Hello = new Hello
            {
                Protocol = 1,
                AgentVersion = "crafted",
                SpoolEpoch = epoch,
                FirstHeldSequence = firstHeld,
                WallUnixMs = Fault.NowUnixMs,
                MonotonicNs = (ulong)Environment.TickCount64 * 1_000_000,
            },
        }).ConfigureAwait(false);
        await stream.WelcomeAsync().ConfigureAwait(false);
        return stream;
    }

    public void Dispose()
    {
        _channel.Dispose();
        _identity.Dispose();
    }

    /// <summary>A schema with one gauge per name of a label, and the key frames that go with it.</summary>
    internal sealed class Table
    {
        private readonly SeriesDefinition[] _series;

        internal Table(uint id, string sampler, string metric, IEnumerable<string> labelValues, ContractKind kind = ContractKind.Gauge)
        {
            Id = id;
            _series = [.. labelValues.Select(value => new SeriesDefinition(metric, kind, "", 0, [new Contracts.Series.Label("item", value)]))];
            Schema = new AgentMessage { Schema = new Schema { SchemaId = id, Sampler = sampler, IntervalMs = 1000 } };
            foreach (SeriesDefinition series in _series)
            {
                SeriesDescriptor descriptor = new() { Metric = metric, Kind = (V1.MetricKind)kind };
                descriptor.Labels.AddRange(series.Labels.Select(label => new V1.Label { Name = label.Name, Value = label.Value }));
                Schema.Schema.Series.Add(descriptor);
            }
        }

        internal uint Id { get; }

        internal AgentMessage Schema { get; }

        /// <summary>A frame that can be read without any before it.</summary>
        internal AgentMessage Frame(ulong sequence, long wallUnixMs, params double[] values)
        {
            ulong[] present = new ulong[(_series.Length + 63) / 64];
            for (int i = 0; i < _series.Length; i++)
            {
                present[i / 64] |= 1UL << (i % 64);
            }

            double[] all = values.Length == _series.Length ? values : [.. Enumerable.Repeat(values[0], _series.Length)];
            Frame frame = new() { Sequence = sequence, WallUnixMs = wallUnixMs, Clock = ClockQuality.Synchronised, Key = true };
            frame.Blocks.Add(new Block { SchemaId = Id, Payload = ByteString.CopyFrom(new BlockEncoder(_series).Encode(all, present)) });
            return new AgentMessage { Frame = frame };
        }
    }
}

/// <summary>An open stream of a <see cref="CraftedAgent"/>.</summary>
internal sealed class CraftedStream(AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call) : IDisposable
{
    private readonly CancellationTokenSource _tooLate = new(Fault.Limit);

    internal ulong Acknowledged { get; private set; }

    internal Welcome? Welcome { get; private set; }

    internal List<Rejected> Rejected { get; } = [];

    internal Task SendAsync(AgentMessage message) => call.RequestStream.WriteAsync(message);

    internal async Task WelcomeAsync()
    {
        Assert.True(await call.ResponseStream.MoveNext(_tooLate.Token).ConfigureAwait(false), "no welcome");
        Welcome = call.ResponseStream.Current.Welcome;
        Assert.NotNull(Welcome);
    }

    /// <summary>Ends our side and reads to the end; the status says how it ended.</summary>
    internal async Task<Status> FinishAsync()
    {
        try
        {
            await call.RequestStream.CompleteAsync().ConfigureAwait(false);
            while (await call.ResponseStream.MoveNext(_tooLate.Token).ConfigureAwait(false))
            {
                Take(call.ResponseStream.Current);
            }

            return Status.DefaultSuccess;
        }
        catch (RpcException e)
        {
            return e.Status;
        }
    }

    public void Dispose()
    {
        call.Dispose();
        _tooLate.Dispose();
    }

    private void Take(AggregatorMessage message)
    {
        if (message.BodyCase == AggregatorMessage.BodyOneofCase.Acknowledge)
        {
            Acknowledged = message.Acknowledge.Sequence;
        }
        else if (message.BodyCase == AggregatorMessage.BodyOneofCase.Rejected)
        {
            Rejected.Add(message.Rejected);
        }
    }
}
