using System.Text.Json;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>A certificate that the fleet stands on, of <c>nodectl ca</c>.</summary>
/// <param name="Purpose">root, issuer or server.</param>
/// <param name="Subject">Its name.</param>
/// <param name="Issuer">Who signed it.</param>
/// <param name="NotBefore">RFC 3339.</param>
/// <param name="NotBeforeUnixMs">The same.</param>
/// <param name="NotAfter">RFC 3339.</param>
/// <param name="NotAfterUnixMs">The same.</param>
/// <param name="Pin">SHA-256 of its public key, hexadecimal.</param>
internal sealed record CaItem(string Purpose, string Subject, string Issuer, string? NotBefore, long NotBeforeUnixMs, string? NotAfter, long NotAfterUnixMs, string Pin)
{
    public static readonly Listing<CaItem> Listing = new(
        "CaList",
        [
            new("PURPOSE", "purpose", item => item.Purpose, item => item.Purpose),
            new("SUBJECT", "subject", item => new Cell(item.Subject, Tone.Strong), item => item.Subject) { ShrinkTo = 16 },
            new("SIGNED BY", "issuer", item => item.Issuer, item => item.Issuer) { ShrinkTo = 16, DropOrder = 2 },
            new("GOOD UNTIL", "notAfterUnixMs", item => MomentText.DateAndClock(item.NotAfterUnixMs), item => Raw.Moment(item.NotAfterUnixMs)),
            new("PIN", "pin", item => item.Pin.Length > 12 ? item.Pin[..12] : item.Pin, item => item.Pin) { DropOrder = 1 },
        ],
        CtlJson.Default.CaItem,
        "no certificates");

    public static IReadOnlyList<CaItem> From(CaStatus ca) =>
    [
        .. ca.Roots.Select(root => From("root", root)),
        .. ca.Issuer is { } issuer ? [From("issuer", issuer)] : (CaItem[])[],
        .. ca.Server is { } server ? [From("server", server)] : (CaItem[])[],
    ];

    /// <summary>The document's own fields.</summary>
    public static Action<Utf8JsonWriter> About(DescribeCaResponse answer) => json =>
    {
        json.WriteString("fleet", answer.Ca.Fleet);
        json.WriteNumber("members", answer.Members);
        json.WriteNumber("withBundle", answer.WithBundle);
        json.WriteStartArray("without");
        foreach (string name in answer.Without) json.WriteStringValue(name);
        json.WriteEndArray();
    };

    /// <summary>The same, of a reload.</summary>
    public static Action<Utf8JsonWriter> About(ReloadCaResponse answer, bool dryRun) => json =>
    {
        json.WriteBoolean("dryRun", dryRun);
        json.WriteNumber("cutOff", answer.CutOff);
        json.WriteStartArray("changes");
        foreach (string change in answer.Changes) json.WriteStringValue(change);
        json.WriteEndArray();
    };

    private static CaItem From(string purpose, CertificateInfo certificate) => new(
        purpose, certificate.Subject, certificate.Issuer, MomentText.Rfc3339(certificate.NotBeforeUnixMs), certificate.NotBeforeUnixMs,
        MomentText.Rfc3339(certificate.NotAfterUnixMs), certificate.NotAfterUnixMs, Convert.ToHexStringLower(certificate.Pin.Span));
}
