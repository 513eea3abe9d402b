using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using NodeAgent.Aggregator.Identity.Registry;
using NodeAgent.Contracts.Identity;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Identity;

/// <summary>The gRPC side of the registry: checks what is asked, and says it in the contract's words.</summary>
internal sealed class IdentitiesService(IdentityRegistry registry, FleetTrustHolder? trust, IdentityLog log, TimeProvider time) : Identities.IdentitiesBase
{
    private const int MostNames = 100;
    private const int LongestReason = 256;

    // A bundle is a SHA-256.
    private const int BundleBytes = 32;

    /// <inheritdoc/>
    public override Task<RenewResponse> Renew(RenewRequest request, ServerCallContext context)
    {
        CallerIdentity caller = CallerIdentity.Of(context);
        FleetTrust present = Trusted();
        CertificateIssuer issuer = present.Issuer ?? throw Failed("this aggregator has no issuing CA");
        if (issuer.Problem.Length > 0)
        {
            throw Failed(issuer.Problem);
        }

        if (caller.Certificate is not { Credential: { } credential } certificate)
        {
            throw Failed("this certificate was not issued by enrolment: `nodectl token create` and `nodeagent enrol` make one that renews itself");
        }

        string problem = "the bundle is no SHA-256";
        if (request.Bundle.Length is not (0 or BundleBytes) || !SigningRequest.TryRead(request.Request.Memory, out byte[]? key, out problem))
        {
            log.RenewalRefused(caller.ToString(), problem);
            throw Invalid(problem);
        }

        IssueOutcome outcome = Written(() => registry.Renew(
            certificate, key, issuer, present.Bundle, request.Bundle.Length == 0 ? null : request.Bundle.ToByteArray()));
        if (outcome.Certificate is not { } issued)
        {
            log.RenewalRefused(caller.ToString(), outcome.Refusal);
            throw Invalid(outcome.Refusal);
        }

        log.Renewed(caller.ToString(), credential.Generation + 1, time.GetUtcNow());
        return Task.FromResult(new RenewResponse { Issued = IssuedMapping.From(issued, issuer, present.Roots) });
    }

    /// <inheritdoc/>
    public override Task<CreateTokenResponse> CreateToken(CreateTokenRequest request, ServerCallContext context)
    {
        FleetTrust present = Trusted();
        if (present.Issuer is not { Problem.Length: 0 })
        {
            throw Failed(present.Issuer?.Problem ?? "this aggregator has no issuing CA: identity.issuer_certificate_file");
        }

        FleetRole role = RoleOf(request.Role);
        if (!FleetIdentity.IsHolderName(request.Name))
        {
            throw Invalid("name: letters, digits, dots, dashes and underscores, at most 253");
        }

        TimeSpan life = request.TtlSeconds == 0 ? IdentityRegistry.UsualTokenLife : TimeSpan.FromSeconds(request.TtlSeconds);
        if (life > IdentityRegistry.LongestTokenLife)
        {
            throw Invalid($"ttl_seconds: at most {IdentityRegistry.LongestTokenLife.TotalSeconds:0}");
        }

        EnrolmentToken token = EnrolmentToken.Create(FleetAuthority.Pin(RootOf(present)));
        TokenEntry entry = Written(() => registry.CreateToken(token, role, request.Name, life, CallerIdentity.Of(context).ToString()));
        return Task.FromResult(new CreateTokenResponse { Token = token.Reveal(), Info = IdentityMapping.From(entry, time.GetUtcNow()) });
    }

    /// <inheritdoc/>
    public override Task<ListTokensResponse> ListTokens(ListTokensRequest request, ServerCallContext context)
    {
        DateTimeOffset now = time.GetUtcNow();
        ListTokensResponse response = new() { WallUnixMs = now.ToUnixTimeMilliseconds() };
        response.Tokens.AddRange(registry.Tokens.OrderByDescending(token => token.Created).Select(token => IdentityMapping.From(token, now)));
        return Task.FromResult(response);
    }

    /// <inheritdoc/>
    public override Task<RevokeTokenResponse> RevokeToken(RevokeTokenRequest request, ServerCallContext context) =>
        Written(() => registry.RevokeToken(request.Id, CallerIdentity.Of(context).ToString()))
            ? Task.FromResult(new RevokeTokenResponse())
            : throw new RpcException(new Status(StatusCode.NotFound, $"there is no token {request.Id}"));

    /// <inheritdoc/>
    public override Task<ListIdentitiesResponse> ListIdentities(ListIdentitiesRequest request, ServerCallContext context)
    {
        byte[]? bundle = trust?.Current.Bundle;
        IEnumerable<MemberEntry> members = (request.All ? registry.Members.Concat(registry.Holders.Where(holder => holder.Uuid == Guid.Empty)) : registry.Holders.Where(holder => holder.Fate != MemberFate.Revoked))
            .Where(member => request.Name.Length == 0 || member.Name == request.Name)
            .OrderBy(member => member.Role).ThenBy(member => member.Name, StringComparer.Ordinal).ThenBy(member => member.Enrolled);
        ListIdentitiesResponse response = new() { WallUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds() };
        response.Identities.AddRange(members.Select(member => IdentityMapping.From(member, bundle)));
        return Task.FromResult(response);
    }

    /// <inheritdoc/>
    public override Task<RevokeIdentityResponse> RevokeIdentity(RevokeIdentityRequest request, ServerCallContext context)
    {
        (FleetRole role, string reason) = Checked(request.Role, request.Name, request.Reason);
        int connections = 0;
        MemberEntry member = Written(() => registry.Revoke(role, request.Name, reason, CallerIdentity.Of(context).ToString(), request.Unknown, out connections))
            ?? throw new RpcException(new Status(StatusCode.NotFound, $"nobody was enrolled as {FleetIdentity.RoleName(role)}/{request.Name}; `unknown` closes the name to certificates made by hand"));
        return Task.FromResult(new RevokeIdentityResponse { Identity = IdentityMapping.From(member, trust?.Current.Bundle), Connections = (uint)connections });
    }

    /// <inheritdoc/>
    public override Task<QuarantineIdentityResponse> QuarantineIdentity(QuarantineIdentityRequest request, ServerCallContext context)
    {
        (FleetRole role, string reason) = Checked(request.Role, request.Name, request.Reason);
        int connections = 0;
        MemberEntry member = Written(() => registry.Quarantine(role, request.Name, reason, CallerIdentity.Of(context).ToString(), request.Lift, out connections))
            ?? throw new RpcException(new Status(StatusCode.NotFound, $"nobody is enrolled as {FleetIdentity.RoleName(role)}/{request.Name}"));
        return Task.FromResult(new QuarantineIdentityResponse { Identity = IdentityMapping.From(member, trust?.Current.Bundle), Connections = (uint)connections });
    }

    /// <inheritdoc/>
    public override Task<DescribeCaResponse> DescribeCa(DescribeCaRequest request, ServerCallContext context)
    {
        FleetTrust present = Trusted();
        MemberEntry[] members = [.. registry.Holders.Where(member => member.Fate == MemberFate.Active)];
        MemberEntry[] without = [.. members.Where(member => !present.Bundle.AsSpan().SequenceEqual(member.Bundle))];
        DescribeCaResponse response = new()
        {
            Ca = IdentityMapping.From(present),
            Members = (uint)members.Length,
            WithBundle = (uint)(members.Length - without.Length),
            WallUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        response.Without.AddRange(without.Select(member => member.Member).Order(StringComparer.Ordinal).Take(MostNames));
        return Task.FromResult(response);
    }

    /// <inheritdoc/>
    public override Task<ReloadCaResponse> ReloadCa(ReloadCaRequest request, ServerCallContext context)
    {
        FleetTrust before = Trusted();
        (FleetTrust? after, string error) = trust!.LoadAgain();
        if (after is null)
        {
            throw Failed(error);
        }

        TrustChange change = TrustChange.Between(before, after, registry.Holders, time.GetUtcNow());
        if (change.Problem.Length > 0)
        {
            throw Failed(change.Problem);
        }

        if (change.CutOff.Count > 0 && !request.Force && !request.DryRun)
        {
            throw Failed($"{change.CutOff.Count} members would be cut off, {change.CutOff[0].Member} among them; they have not renewed since the roots changed");
        }

        if (!request.DryRun)
        {
            trust.Use(after);
            log.Reloaded(CallerIdentity.Of(context).ToString(), change.Changes.Count == 0 ? "no change" : string.Join("; ", change.Changes));
        }

        ReloadCaResponse response = new() { Before = IdentityMapping.From(before), After = IdentityMapping.From(after), CutOff = (uint)change.CutOff.Count };
        response.Changes.AddRange(change.Changes);
        return Task.FromResult(response);
    }

    // Of several roots, the one that members need to believe this aggregator as it is.
    private static X509Certificate2 RootOf(FleetTrust present) =>
        present.Roots.FirstOrDefault(root => FleetAuthority.Trusts(present.Server, [root], present.Between, FleetAuthority.ServerUse, new DateTimeOffset(present.Server.NotAfter).AddSeconds(-1), out _))
        ?? throw Failed("the fleet's roots do not stand behind the aggregator's own certificate");

    private static (FleetRole Role, string Reason) Checked(string role, string name, string reason) =>
        !FleetIdentity.IsHolderName(name) ? throw Invalid("name: letters, digits, dots, dashes and underscores, at most 253")
        : reason.Length > LongestReason || reason.Any(char.IsControl) ? throw Invalid($"reason: at most {LongestReason} characters, on one line")
        : (role.Length == 0 ? FleetRole.Agent : RoleOf(role), reason);

    private static FleetRole RoleOf(string role) =>
        FleetIdentity.ParseRole(role) ?? throw Invalid("role: one of agent, viewer, operator, approver, admin, scraper");

    private static RpcException Invalid(string detail) => new(new Status(StatusCode.InvalidArgument, detail));

    private static RpcException Failed(string detail) => new(new Status(StatusCode.FailedPrecondition, detail));

    private FleetTrust Trusted() => trust?.Current ?? throw Failed("this aggregator serves without TLS: there are no certificates");

    private T Written<T>(Func<T> change)
    {
        try
        {
            return change();
        }
        catch (IdentityJournalException e)
        {
            log.DiskFails(e.Message);
            throw new RpcException(new Status(StatusCode.Unavailable, "the aggregator's disk fails; whether it is written down will show when it works again"));
        }
    }
}
