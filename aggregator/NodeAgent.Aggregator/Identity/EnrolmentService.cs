using System.Net;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Aggregator.Identity.Registry;
using NodeAgent.Contracts.Identity;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Identity;

/// <summary>For hosts without a certificate. Tells nobody why a token is not good; the log does.</summary>
internal sealed class EnrolmentService(IdentityRegistry registry, FleetTrustHolder trust, JoinThrottle throttle, IdentityLog log) : Enrolment.EnrolmentBase
{
    /// <inheritdoc/>
    public override Task<TrustResponse> Trust(TrustRequest request, ServerCallContext context)
    {
        TrustResponse response = new();
        response.Roots.AddRange(trust.Current.Roots.Select(root => ByteString.CopyFrom(root.RawData)));
        return Task.FromResult(response);
    }

    /// <inheritdoc/>
    public override Task<JoinResponse> Join(JoinRequest request, ServerCallContext context)
    {
        IPAddress address = AddressOf(context.Peer);
        if (!throttle.TryTake(address))
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, $"more than {JoinThrottle.TriesPerMinute} failed tries a minute from this address"));
        }

        JoinResponse response = new() { Issued = Issue(request, address.ToString()) };
        throttle.GiveBack(address);
        return Task.FromResult(response);
    }

    private IssuedCertificate Issue(JoinRequest request, string address)
    {
        FleetTrust present = trust.Current;
        CertificateIssuer issuer = present.Issuer ?? throw new RpcException(new Status(StatusCode.FailedPrecondition, "this aggregator has no issuing CA"));
        if (issuer.Problem.Length > 0)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, issuer.Problem));
        }

        if (!EnrolmentToken.TryParse(request.Token, out EnrolmentToken? token))
        {
            log.JoinRefused(address, "?", "it is not of the form na1.ID.SECRET.PIN");
            throw NotGood();
        }

        if (!SigningRequest.TryRead(request.Request.Memory, out byte[]? key, out string problem))
        {
            log.JoinRefused(address, token.Id, problem);
            throw new RpcException(new Status(StatusCode.InvalidArgument, problem));
        }

        try
        {
            IssueOutcome outcome = registry.Join(token, key, issuer, present.Bundle, address);
            if (outcome.Certificate is { } certificate)
            {
                return IssuedMapping.From(certificate, issuer, present.Roots);
            }

            log.JoinRefused(address, token.Id, outcome.Refusal);
            throw NotGood();
        }
        catch (IdentityJournalException e)
        {
            log.DiskFails(e.Message);
            throw new RpcException(new Status(StatusCode.Unavailable, "the aggregator's disk fails; try again"));
        }
    }

    private static RpcException NotGood() => new(new Status(StatusCode.PermissionDenied, "the token is not good"));

    // "ipv4:192.0.2.1:40000"; what has no address shares one.
    private static IPAddress AddressOf(string peer) =>
        peer.IndexOf(':', StringComparison.Ordinal) is var colon and > 0 && IPEndPoint.TryParse(peer[(colon + 1)..], out IPEndPoint? endpoint) ? endpoint.Address : IPAddress.None;
}

/// <summary>An issued certificate as it travels.</summary>
internal static class IssuedMapping
{
    internal static IssuedCertificate From(byte[] certificate, CertificateIssuer issuer, IEnumerable<System.Security.Cryptography.X509Certificates.X509Certificate2> roots)
    {
        IssuedCertificate issued = new() { Chain = { ByteString.CopyFrom(certificate), ByteString.CopyFrom(issuer.Authority.RawData) } };
        issued.Roots.AddRange(roots.Select(root => ByteString.CopyFrom(root.RawData)));
        return issued;
    }
}
