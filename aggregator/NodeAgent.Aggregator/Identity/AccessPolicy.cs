using System.Collections.Frozen;
using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc.Server;

namespace NodeAgent.Aggregator.Identity;

/// <summary>
/// Who may call what. Every method of every service has a row; a method without one is denied to all, and a test fails.
/// </summary>
internal sealed class AccessPolicy(IPEndPoint? plaintext)
{
    private static readonly FleetRole[] Readers = [FleetRole.Viewer, FleetRole.Operator, FleetRole.Approver, FleetRole.Admin];
    private static readonly FleetRole[] Operators = [FleetRole.Operator, FleetRole.Admin];
    private static readonly FleetRole[] Anybody = [FleetRole.Agent, FleetRole.Scraper, .. Readers];
    private static readonly FleetRole[] NobodyWithACertificate = [];

    private static readonly CallerIdentity PlaintextViewer = new(new FleetIdentity("local", FleetRole.Viewer, "plaintext"));

    /// <summary>Allowed roles by service, for the methods that have no row of their own in <see cref="MethodRows"/>.</summary>
    internal static FrozenDictionary<string, FleetRole[]> Rows { get; } = new Dictionary<string, FleetRole[]>
    {
        ["nodeagent.v1.AgentLink"] = [FleetRole.Agent],
        ["nodeagent.v1.Query"] = Readers,
        ["nodeagent.v1.Incidents"] = Readers,
        ["nodeagent.v1.Admin"] = [FleetRole.Admin],
        ["nodeagent.v1.Enrolment"] = NobodyWithACertificate, // strangers, on an address of their own
        ["nodeagent.v1.Identities"] = [FleetRole.Admin],
        ["nodeagent.v1.Commands"] = Readers,
        ["nodeagent.v1.Placement"] = Readers,
        ["grpc.health.v1.Health"] = Anybody,
        ["grpc.reflection.v1.ServerReflection"] = Readers,
        ["grpc.reflection.v1alpha.ServerReflection"] = Readers,
    }.ToFrozenDictionary();

    /// <summary>Allowed roles of the methods that change something, by full name.</summary>
    internal static FrozenDictionary<string, FleetRole[]> MethodRows { get; } = new Dictionary<string, FleetRole[]>
    {
        ["/nodeagent.v1.Identities/Renew"] = Anybody, // for oneself
        ["/nodeagent.v1.Commands/Prepare"] = Operators,
        ["/nodeagent.v1.Commands/Submit"] = Operators,
        ["/nodeagent.v1.Commands/Approve"] = [FleetRole.Approver, .. Operators],
        ["/nodeagent.v1.Commands/Cancel"] = Operators,
        ["/nodeagent.v1.Commands/Resume"] = Operators,
        ["/nodeagent.v1.Incidents/Acknowledge"] = Operators,
        ["/nodeagent.v1.Incidents/Silence"] = Operators,
        ["/nodeagent.v1.Incidents/Unsilence"] = Operators,
        ["/nodeagent.v1.Incidents/Feedback"] = Operators,
        ["/nodeagent.v1.Placement/Place"] = Operators,
        ["/nodeagent.v1.Placement/PlaceBatch"] = Operators,
        ["/nodeagent.v1.Placement/Commit"] = Operators,
        ["/nodeagent.v1.Placement/Release"] = Operators,
        ["/nodeagent.v1.Placement/Apply"] = Operators,
        ["/nodeagent.v1.Placement/Cordon"] = Operators,
    }.ToFrozenDictionary();

    /// <summary>From the connection's certificate; on the plaintext address from a header, or a viewer without one.</summary>
    internal ValueTask<RpcIdentity?> IdentifyAsync(HttpContext http)
    {
        ConnectionInfo connection = http.Connection;
        if (connection.ClientCertificate is { } certificate)
        {
            return ValueTask.FromResult<RpcIdentity?>(CertificateIdentity.Read(certificate));
        }

        if (http.Request.IsHttps || plaintext is null || connection.LocalPort != plaintext.Port
            || connection.RemoteIpAddress is not { } remote || !IPAddress.IsLoopback(remote))
        {
            return ValueTask.FromResult<RpcIdentity?>(null);
        }

        string claimed = http.Request.Headers[FleetIdentity.PlaintextHeader].ToString();
        return ValueTask.FromResult<RpcIdentity?>(
            claimed.Length == 0 ? PlaintextViewer
            : FleetIdentity.TryParse(claimed, out FleetIdentity? identity) ? new CallerIdentity(identity)
            : null);
    }

    /// <summary>Methods for callers without a certificate, on the address that asks for none.</summary>
    internal static FrozenSet<string> Strangers { get; } = new[] { "/nodeagent.v1.Enrolment/Trust", "/nodeagent.v1.Enrolment/Join" }.ToFrozenSet();

    /// <summary>OK, or why not, on the address for strangers.</summary>
    internal static Status AuthoriseStranger(IMethod method) => Strangers.Contains(method.FullName)
        ? Status.DefaultSuccess : new Status(StatusCode.PermissionDenied, $"{method.FullName} is not for strangers");

    /// <summary>OK, or why not.</summary>
    internal static Status Authorise(IMethod method, RpcIdentity? identity)
    {
        if (identity is not CallerIdentity caller || caller.Role == FleetRole.None)
        {
            return new Status(StatusCode.Unauthenticated, "the certificate carries no identity of this fleet (nodeagent://FLEET/ROLE/NAME)");
        }

        return (MethodRows.TryGetValue(method.FullName, out FleetRole[]? allowed) || Rows.TryGetValue(method.ServiceName, out allowed)) && allowed.Contains(caller.Role)
            ? Status.DefaultSuccess
            : new Status(StatusCode.PermissionDenied, $"{caller} may not call {method.FullName}");
    }
}
