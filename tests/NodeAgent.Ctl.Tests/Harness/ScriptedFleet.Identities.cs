using Google.Protobuf;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Harness;

/// <content>Identities as a test scripted them.</content>
internal sealed partial class ScriptedFleet
{
    private const long Minute = 60_000;

    public CreateTokenResponse CreateTokenAnswer { get; set; } = new()
    {
        Token = $"na1.0123456789abcdef.{new string('s', 42)}A.{new string('0', 64)}",
        Info = Token("0123456789abcdef", "gpu-17", TokenState.Open),
    };

    public ListTokensResponse ListTokensAnswer { get; set; } = new()
    {
        WallUnixMs = HandTime.StartUnixMs,
        Tokens =
        {
            Token("0123456789abcdef", "gpu-17", TokenState.Open),
            Ended(Token("1111111111111111", "gpu-01", TokenState.Used), "10.0.3.17"),
            Ended(Token("2222222222222222", "gpu-02", TokenState.Revoked), "admin/ben"),
        },
    };

    public ListIdentitiesResponse ListIdentitiesAnswer { get; set; } = new()
    {
        WallUnixMs = HandTime.StartUnixMs,
        Identities =
        {
            Member("gpu-01", IdentityState.Active, 412, ""),
            Member("gpu-02", IdentityState.Quarantined, 7, "generation 6 was used after generation 7 was issued anew: two hosts have this identity"),
            Member("gpu-03\e[31m", IdentityState.Revoked, 3, "by admin/ann at 2026-11-20 08:00:00Z, =cmd|' /C calc'!A0"),
        },
    };

    public DescribeCaResponse DescribeCaAnswer { get; set; } = new()
    {
        Members = 2,
        WithBundle = 2,
        WallUnixMs = HandTime.StartUnixMs,
        Ca = new CaStatus
        {
            Fleet = "lab",
            Roots = { Certificate("CN=lab fleet CA", "CN=lab fleet CA", 3650, 1), Certificate("CN=lab fleet CA", "CN=lab fleet CA", 3653, 2) },
            Issuer = Certificate("CN=lab issuing CA, O=lab", "CN=lab fleet CA", 90, 3),
            Server = Certificate("CN=aggregator, O=lab", "CN=lab fleet CA", 397, 4),
        },
    };

    public ReloadCaResponse ReloadCaAnswer { get; set; } = new();

    public Task<CreateTokenResponse> CreateTokenAsync(CreateTokenRequest request, CancellationToken cancellation) => Answer(request, () => CreateTokenAnswer);

    public Task<ListTokensResponse> ListTokensAsync(ListTokensRequest request, CancellationToken cancellation) => Answer(request, () => ListTokensAnswer);

    public Task<RevokeTokenResponse> RevokeTokenAsync(RevokeTokenRequest request, CancellationToken cancellation) => Answer(request, () => new RevokeTokenResponse());

    public Task<ListIdentitiesResponse> ListIdentitiesAsync(ListIdentitiesRequest request, CancellationToken cancellation) => Answer(request, () => ListIdentitiesAnswer);

    public Task<RevokeIdentityResponse> RevokeIdentityAsync(RevokeIdentityRequest request, CancellationToken cancellation) =>
        Answer(request, () => new RevokeIdentityResponse { Identity = Member(request.Name, IdentityState.Revoked, 3, request.Reason), Connections = 1 });

    public Task<QuarantineIdentityResponse> QuarantineIdentityAsync(QuarantineIdentityRequest request, CancellationToken cancellation) =>
        Answer(request, () => new QuarantineIdentityResponse { Identity = Member(request.Name, request.Lift ? IdentityState.Active : IdentityState.Quarantined, 3, request.Reason) });

    public Task<DescribeCaResponse> DescribeCaAsync(DescribeCaRequest request, CancellationToken cancellation) => Answer(request, () => DescribeCaAnswer);

    public Task<ReloadCaResponse> ReloadCaAsync(ReloadCaRequest request, CancellationToken cancellation) => Answer(request, () => ReloadCaAnswer);

    private static TokenInfo Token(string id, string name, TokenState state) => new()
    {
        Id = id, Role = "agent", Name = name, State = state, CreatedBy = "admin/ann", CreatedUnixMs = HandTime.StartUnixMs - (10 * Minute), ExpiresUnixMs = HandTime.StartUnixMs + (50 * Minute),
    };

    private static TokenInfo Ended(TokenInfo token, string by)
    {
        token.EndedUnixMs = HandTime.StartUnixMs - (5 * Minute);
        token.EndedBy = by;
        return token;
    }

    private static IdentityInfo Member(string name, IdentityState state, uint generation, string reason) => new()
    {
        Uuid = ByteString.CopyFrom([.. Enumerable.Range(1, 16).Select(i => (byte)i)]), Role = "agent", Name = name, State = state, Generation = generation, Reason = reason,
        EnrolledUnixMs = HandTime.StartUnixMs - (3000 * Minute), RenewedUnixMs = HandTime.StartUnixMs - (300 * Minute), ExpiresUnixMs = HandTime.StartUnixMs + (1140 * Minute), HasBundle = state == IdentityState.Active,
    };

    private static CertificateInfo Certificate(string subject, string issuer, int days, byte pin) => new()
    {
        Subject = subject, Issuer = issuer, NotBeforeUnixMs = HandTime.StartUnixMs - (1000 * Minute), NotAfterUnixMs = HandTime.StartUnixMs + (days * 1440L * Minute),
        Pin = ByteString.CopyFrom([.. Enumerable.Repeat(pin, 32)]),
    };
}
