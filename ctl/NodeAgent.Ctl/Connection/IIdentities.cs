using NodeAgent.V1;

namespace NodeAgent.Ctl.Connection;

/// <summary>The Identities service as commands see it. Failures as for <see cref="IFleet"/>.</summary>
internal interface IIdentities
{
    Task<CreateTokenResponse> CreateTokenAsync(CreateTokenRequest request, CancellationToken cancellation);

    Task<ListTokensResponse> ListTokensAsync(ListTokensRequest request, CancellationToken cancellation);

    Task<RevokeTokenResponse> RevokeTokenAsync(RevokeTokenRequest request, CancellationToken cancellation);

    Task<ListIdentitiesResponse> ListIdentitiesAsync(ListIdentitiesRequest request, CancellationToken cancellation);

    Task<RevokeIdentityResponse> RevokeIdentityAsync(RevokeIdentityRequest request, CancellationToken cancellation);

    Task<QuarantineIdentityResponse> QuarantineIdentityAsync(QuarantineIdentityRequest request, CancellationToken cancellation);

    Task<DescribeCaResponse> DescribeCaAsync(DescribeCaRequest request, CancellationToken cancellation);

    Task<ReloadCaResponse> ReloadCaAsync(ReloadCaRequest request, CancellationToken cancellation);
}
