using Grpc.Core;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc.Server;

namespace NodeAgent.Aggregator.Tests.Ingest;

/// <summary>A call without a network, from somebody known.</summary>
internal sealed class FakeContext : ServerCallContext
{
    private readonly Dictionary<object, object> _state = [];
    private readonly CancellationToken _cancellation;

    internal FakeContext(string name = "n1", FleetRole role = FleetRole.Agent, CancellationToken cancellation = default)
    {
        _cancellation = cancellation;
        this.SetIdentity(new CallerIdentity(new FleetIdentity("f", role, name)));
    }

    protected override string MethodCore => "/test/Method";

    protected override string HostCore => "host";

    protected override string PeerCore => "ipv4:192.0.2.1:1";

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override Metadata RequestHeadersCore => [];

    protected override CancellationToken CancellationTokenCore => _cancellation;

    protected override Metadata ResponseTrailersCore => [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => throw new NotSupportedException();

    protected override IDictionary<object, object> UserStateCore => _state;

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
}
