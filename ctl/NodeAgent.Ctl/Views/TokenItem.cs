using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>A join token of <c>nodectl token</c>.</summary>
/// <param name="Id">Names it.</param>
/// <param name="Role">What it enrols as.</param>
/// <param name="Name">Whom it enrols.</param>
/// <param name="State">open, used, revoked or expired.</param>
/// <param name="CreatedBy">Admin.</param>
/// <param name="Created">RFC 3339.</param>
/// <param name="CreatedUnixMs">The same.</param>
/// <param name="Expires">RFC 3339.</param>
/// <param name="ExpiresUnixMs">The same.</param>
/// <param name="Ended">When it was used or revoked.</param>
/// <param name="EndedUnixMs">The same; 0: neither.</param>
/// <param name="EndedBy">Address that used it, or who revoked it.</param>
/// <param name="Token">The token itself: once, when it is made.</param>
internal sealed record TokenItem(
    string Id, string Role, string Name, string State, string CreatedBy, string? Created, long CreatedUnixMs, string? Expires, long ExpiresUnixMs,
    string? Ended, long EndedUnixMs, string EndedBy, string? Token)
{
    public static TokenItem From(TokenInfo token, string? text = null) => new(
        token.Id, token.Role, token.Name, Words(token.State), token.CreatedBy, MomentText.Rfc3339(token.CreatedUnixMs), token.CreatedUnixMs,
        MomentText.Rfc3339(token.ExpiresUnixMs), token.ExpiresUnixMs, MomentText.Rfc3339(token.EndedUnixMs), token.EndedUnixMs, token.EndedBy, text);

    public static readonly Listing<TokenItem> Listing = new(
        "TokenList",
        [
            new("ID", "id", item => new Cell(item.Id, Tone.Strong), item => item.Id),
            new("ROLE", "role", item => item.Role, item => item.Role) { DropOrder = 4 },
            new("NAME", "name", item => item.Name, item => item.Name) { ShrinkTo = 12 },
            new("STATE", "state", item => new Cell(item.State, item.State == "open" ? Tone.Good : Tone.Dim), item => item.State),
            new("GOOD UNTIL", "expiresUnixMs", item => MomentText.DateAndClock(item.ExpiresUnixMs), item => Raw.Moment(item.ExpiresUnixMs)),
            new("MADE BY", "createdBy", item => item.CreatedBy, item => item.CreatedBy) { DropOrder = 1 },
            new("ENDED", "endedUnixMs", item => MomentText.DateAndClock(item.EndedUnixMs), item => Raw.Moment(item.EndedUnixMs)) { DropOrder = 2 },
            new("BY", "endedBy", item => NodeListing.OrNone(item.EndedBy), item => item.EndedBy) { DropOrder = 3 },
        ],
        CtlJson.Default.TokenItem,
        "no tokens");

    private static string Words(TokenState state) => state switch
    {
        TokenState.Open => "open",
        TokenState.Used => "used",
        TokenState.Revoked => "revoked",
        TokenState.Expired => "expired",
        _ => "unknown",
    };
}
