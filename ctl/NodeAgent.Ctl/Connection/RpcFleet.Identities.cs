using NodeAgent.V1;

namespace NodeAgent.Ctl.Connection;

/// <content>The Identities service over gRPC.</content>
internal sealed partial class RpcFleet
{
    private readonly Identities.IdentitiesClient _identities = new(invoker);

    public Task<CreateTokenResponse> CreateTokenAsync(CreateTokenRequest request, CancellationToken cancellation) =>
        Unary($"cannot make a token for '{request.Name}'", _identities.CreateTokenAsync, request, cancellation);

    public Task<ListTokensResponse> ListTokensAsync(ListTokensRequest request, CancellationToken cancellation) =>
        Unary("cannot list tokens", _identities.ListTokensAsync, request, cancellation);

    public Task<RevokeTokenResponse> RevokeTokenAsync(RevokeTokenRequest request, CancellationToken cancellation) =>
        Unary($"cannot revoke token '{request.Id}'", _identities.RevokeTokenAsync, request, cancellation);

    public Task<ListIdentitiesResponse> ListIdentitiesAsync(ListIdentitiesRequest request, CancellationToken cancellation) =>
        Unary("cannot list identities", _identities.ListIdentitiesAsync, request, cancellation);

    public Task<RevokeIdentityResponse> RevokeIdentityAsync(RevokeIdentityRequest request, CancellationToken cancellation) =>
        Unary($"cannot revoke '{request.Name}'", _identities.RevokeIdentityAsync, request, cancellation);

    public Task<QuarantineIdentityResponse> QuarantineIdentityAsync(QuarantineIdentityRequest request, CancellationToken cancellation) =>
        Unary($"cannot quarantine '{request.Name}'", _identities.QuarantineIdentityAsync, request, cancellation);

    public Task<DescribeCaResponse> DescribeCaAsync(DescribeCaRequest request, CancellationToken cancellation) =>
        Unary("cannot read the CA", _identities.DescribeCaAsync, request, cancellation);

    public Task<ReloadCaResponse> ReloadCaAsync(ReloadCaRequest request, CancellationToken cancellation) =>
        Unary("cannot reload the CA", _identities.ReloadCaAsync, request, cancellation);
}
