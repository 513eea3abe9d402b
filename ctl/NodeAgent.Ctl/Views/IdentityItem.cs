using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>A member of the fleet, of <c>nodectl identities</c>.</summary>
/// <param name="Role">Its role.</param>
/// <param name="Name">Node or person.</param>
/// <param name="State">active, quarantined or revoked.</param>
/// <param name="Reason">Why it is not active.</param>
/// <param name="Uuid">Of this enrolment; null: it never was enrolled.</param>
/// <param name="Generation">One more with each renewal.</param>
/// <param name="Renewing">It has a certificate that it did not use yet.</param>
/// <param name="HasBundle">It holds the present roots.</param>
/// <param name="Enrolled">RFC 3339.</param>
/// <param name="EnrolledUnixMs">The same.</param>
/// <param name="Renewed">RFC 3339.</param>
/// <param name="RenewedUnixMs">The same.</param>
/// <param name="Expires">End of its newest certificate, RFC 3339.</param>
/// <param name="ExpiresUnixMs">The same.</param>
internal sealed record IdentityItem(
    string Role, string Name, string State, string Reason, string? Uuid, uint Generation, bool Renewing, bool HasBundle, string? Enrolled, long EnrolledUnixMs,
    string? Renewed, long RenewedUnixMs, string? Expires, long ExpiresUnixMs)
{
    public static IdentityItem From(IdentityInfo member) => new(
        member.Role, member.Name, Words(member.State), member.Reason, member.Uuid.Length == 16 ? new Guid(member.Uuid.Span, bigEndian: true).ToString() : null,
        member.Generation, member.Renewing, member.HasBundle, MomentText.Rfc3339(member.EnrolledUnixMs), member.EnrolledUnixMs,
        MomentText.Rfc3339(member.RenewedUnixMs), member.RenewedUnixMs, MomentText.Rfc3339(member.ExpiresUnixMs), member.ExpiresUnixMs);

    public static readonly Listing<IdentityItem> Listing = new(
        "IdentityList",
        [
            new("ROLE", "role", item => item.Role, item => item.Role) { DropOrder = 5 },
            new("NAME", "name", item => new Cell(item.Name, Tone.Strong), item => item.Name) { ShrinkTo = 12 },
            new("STATE", "state", item => new Cell(item.State, item.State switch { "active" => Tone.Good, "quarantined" => Tone.Bad, _ => Tone.Dim }), item => item.State),
            new("GENERATION", "generation", item => Raw.Whole(item.Generation), item => Raw.Whole(item.Generation)) { RightAligned = true, DropOrder = 4 },
            new("RENEWED", "renewedUnixMs", item => MomentText.DateAndClock(item.RenewedUnixMs), item => Raw.Moment(item.RenewedUnixMs)) { DropOrder = 1 },
            new("GOOD UNTIL", "expiresUnixMs", item => MomentText.DateAndClock(item.ExpiresUnixMs), item => Raw.Moment(item.ExpiresUnixMs)),
            new("ROOTS", "hasBundle", item => item.HasBundle ? "present" : new Cell("older", Tone.Warn), item => item.HasBundle ? "true" : "false") { DropOrder = 3 },
            new("WHY", "reason", item => NodeListing.OrNone(item.Reason), item => item.Reason) { DropOrder = 2, ShrinkTo = 16 },
            new("UUID", "uuid", item => NodeListing.OrNone(item.Uuid), item => item.Uuid ?? "") { WideOnly = true },
            new("ENROLLED", "enrolledUnixMs", item => MomentText.DateAndClock(item.EnrolledUnixMs), item => Raw.Moment(item.EnrolledUnixMs)) { WideOnly = true },
        ],
        CtlJson.Default.IdentityItem,
        "nobody is enrolled");

    private static string Words(IdentityState state) => state switch
    {
        IdentityState.Active => "active",
        IdentityState.Quarantined => "quarantined",
        IdentityState.Revoked => "revoked",
        _ => "unknown",
    };
}
