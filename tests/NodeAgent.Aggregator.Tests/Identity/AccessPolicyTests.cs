using System.Net;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc.Server;

namespace NodeAgent.Aggregator.Tests.Identity;

public sealed class AccessPolicyTests
{
    private static readonly IPEndPoint Plaintext = new(IPAddress.Loopback, 7480);

    // Every service that AggregatorServer adds.
    internal static readonly ServiceDescriptor[] Served =
    [
        V1.Enrolment.Descriptor, V1.Identities.Descriptor,
        V1.AgentLink.Descriptor, V1.Query.Descriptor, V1.Admin.Descriptor, V1.Placement.Descriptor, V1.Commands.Descriptor, V1.Incidents.Descriptor, Grpc.Health.V1.Health.Descriptor,
        Grpc.Reflection.V1.ServerReflection.Descriptor, Grpc.Reflection.V1Alpha.ServerReflection.Descriptor,
    ];

    // Written out once more, by hand: a changed policy must be changed twice.
    private static readonly Dictionary<string, FleetRole[]> Expected = new()
    {
        ["nodeagent.v1.AgentLink"] = [FleetRole.Agent],
        ["nodeagent.v1.Admin"] = [FleetRole.Admin],
        ["nodeagent.v1.Enrolment"] = [],
        ["nodeagent.v1.Identities"] = [FleetRole.Admin],
        ["nodeagent.v1.Query"] = [FleetRole.Viewer, FleetRole.Operator, FleetRole.Approver, FleetRole.Admin],
        ["nodeagent.v1.Commands"] = [FleetRole.Viewer, FleetRole.Operator, FleetRole.Approver, FleetRole.Admin],
        ["nodeagent.v1.Incidents"] = [FleetRole.Viewer, FleetRole.Operator, FleetRole.Approver, FleetRole.Admin],
        ["nodeagent.v1.Placement"] = [FleetRole.Viewer, FleetRole.Operator, FleetRole.Approver, FleetRole.Admin],
        ["grpc.health.v1.Health"] = [FleetRole.Agent, FleetRole.Scraper, FleetRole.Viewer, FleetRole.Operator, FleetRole.Approver, FleetRole.Admin],
        ["grpc.reflection.v1.ServerReflection"] = [FleetRole.Viewer, FleetRole.Operator, FleetRole.Approver, FleetRole.Admin],
        ["grpc.reflection.v1alpha.ServerReflection"] = [FleetRole.Viewer, FleetRole.Operator, FleetRole.Approver, FleetRole.Admin],
    };

    // Methods of a service that viewers may call, which viewers may not.
    private static readonly string[] OperatorsOnly =
    [
        "nodeagent.v1.Commands.Prepare", "nodeagent.v1.Commands.Submit", "nodeagent.v1.Commands.Approve", "nodeagent.v1.Commands.Cancel", "nodeagent.v1.Commands.Resume",
        "nodeagent.v1.Placement.Place", "nodeagent.v1.Placement.PlaceBatch", "nodeagent.v1.Placement.Commit", "nodeagent.v1.Placement.Release",
        "nodeagent.v1.Placement.Apply", "nodeagent.v1.Placement.Cordon",
        "nodeagent.v1.Incidents.Acknowledge", "nodeagent.v1.Incidents.Silence", "nodeagent.v1.Incidents.Unsilence", "nodeagent.v1.Incidents.Feedback",
    ];

    private const string Renewal = "nodeagent.v1.Identities.Renew";
    private const string Approval = "nodeagent.v1.Commands.Approve";

    /// <summary>What the tables above come to.</summary>
    internal static bool MayCall(FleetRole role, MethodDescriptor method) => method.FullName == Renewal
        || (Expected[method.Service.FullName].Contains(role) && (!OperatorsOnly.Contains(method.FullName) || role is FleetRole.Operator or FleetRole.Admin
            || (role == FleetRole.Approver && method.FullName == Approval)));

    [Fact]
    public void MethodRows_AllOfThem_AreMethodsThatAreServed() =>
        Assert.Equal(OperatorsOnly.Append(Renewal).Select(name => "/" + name[..name.LastIndexOf('.')] + "/" + name[(name.LastIndexOf('.') + 1)..]).Order(), AccessPolicy.MethodRows.Keys.Order());

    [Fact]
    public void Rows_EveryServedMethod_HasOneAndNoRowIsLeftOver()
    {
        Assert.All(Served.SelectMany(service => service.Methods), method => Assert.Contains(method.Service.FullName, AccessPolicy.Rows.Keys));
        Assert.Equal(Served.Select(service => service.FullName).Order(), AccessPolicy.Rows.Keys.Order());
    }

    [Fact]
    public void Authorise_EveryRoleAndMethod_IsAsTheTableSays()
    {
        foreach (MethodDescriptor method in Served.SelectMany(service => service.Methods))
        {
            foreach (FleetRole role in Enum.GetValues<FleetRole>())
            {
                Status verdict = AccessPolicy.Authorise(Method(method.Service.FullName, method.Name), Caller(role));
                StatusCode expected = role == FleetRole.None ? StatusCode.Unauthenticated
                    : MayCall(role, method) ? StatusCode.OK
                    : StatusCode.PermissionDenied;
                Assert.True(expected == verdict.StatusCode, $"{role} on {method.FullName}: {verdict}");
            }
        }
    }

    [Fact]
    public void Authorise_Denied_SaysWhoAndWhat()
    {
        Assert.Equal("agent/x may not call /nodeagent.v1.Query/TopK", AccessPolicy.Authorise(Method("nodeagent.v1.Query", "TopK"), Caller(FleetRole.Agent)).Detail);
        Assert.Equal(
            "the certificate carries no identity of this fleet (nodeagent://FLEET/ROLE/NAME)",
            AccessPolicy.Authorise(Method("nodeagent.v1.Query", "TopK"), null).Detail);
    }

    [Fact]
    public void Authorise_NobodyOrSomebodyOfAnotherKind_IsUnauthenticated() =>
        Assert.All([null, new RpcIdentity("x")], identity =>
            Assert.Equal(StatusCode.Unauthenticated, AccessPolicy.Authorise(Method("grpc.health.v1.Health", "Check"), identity).StatusCode));

    [Fact]
    public void Authorise_MethodWithoutARow_IsDeniedToAll() =>
        Assert.All(Enum.GetValues<FleetRole>().Where(role => role != FleetRole.None), role =>
            Assert.Equal(StatusCode.PermissionDenied, AccessPolicy.Authorise(Method("nodeagent.v1.Nothing", "Backup"), Caller(role)).StatusCode));

    [Theory]
    [InlineData("nodeagent://local/agent/n1", "agent/n1")]
    [InlineData("nodeagent://local/admin/me", "admin/me")]
    [InlineData("", "viewer/plaintext")]
    [InlineData("me", null)]
    [InlineData("nodeagent://local/none/n1", null)]
    [InlineData("nodeagent://local/agent/n1,nodeagent://local/admin/me", null)]
    public async Task Identify_OnThePlaintextAddress_BelievesTheHeader(string header, string? expected) =>
        Assert.Equal(expected, await IdentifyAsync(new AccessPolicy(Plaintext), header, _ => { }));

    [Fact]
    public async Task Identify_HeaderElsewhere_IsNotBelieved()
    {
        const string Admin = "nodeagent://local/admin/me";
        Assert.Null(await IdentifyAsync(new AccessPolicy(null), Admin, _ => { }));
        Assert.Null(await IdentifyAsync(new AccessPolicy(Plaintext), Admin, http => http.Connection.LocalPort = 7443));
        Assert.Null(await IdentifyAsync(new AccessPolicy(Plaintext), Admin, http => http.Request.Scheme = "https"));
        Assert.Null(await IdentifyAsync(new AccessPolicy(Plaintext), Admin, http => http.Connection.RemoteIpAddress = IPAddress.Parse("192.0.2.1")));
        Assert.Null(await IdentifyAsync(new AccessPolicy(Plaintext), Admin, http => http.Connection.RemoteIpAddress = null));
    }

    private static async Task<string?> IdentifyAsync(AccessPolicy policy, string header, Action<HttpContext> change)
    {
        DefaultHttpContext http = new();
        http.Request.Scheme = "http";
        http.Connection.LocalPort = Plaintext.Port;
        http.Connection.RemoteIpAddress = IPAddress.Loopback;
        if (header.Length > 0)
        {
            http.Request.Headers[NodeAgent.Contracts.Identity.FleetIdentity.PlaintextHeader] = header;
        }

        change(http);
        return (await policy.IdentifyAsync(http))?.ToString();
    }

    private static CallerIdentity Caller(FleetRole role) => new(new FleetIdentity("f", role, "x"));

    private static Method<string, string> Method(string service, string name) =>
        new(MethodType.Unary, service, name, Marshallers.StringMarshaller, Marshallers.StringMarshaller);
}
