using NodeAgent.Ctl.Output;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>How often a cause was found when looking back.</summary>
internal sealed record FindingCountItem(string Cause, uint Findings, double PerSeriesDay)
{
    public static readonly Listing<FindingCountItem> Listing = new(
        "FindingCountList",
        [
            new("CAUSE", "cause", item => item.Cause, item => item.Cause),
            new("FINDINGS", "findings", item => Raw.Whole(item.Findings), item => Raw.Whole(item.Findings)) { RightAligned = true },
            new("PER SERIES AND DAY", "perSeriesDay", item => Text.Human.Count(item.PerSeriesDay), item => Raw.Number(item.PerSeriesDay)) { RightAligned = true },
        ],
        CtlJson.Default.FindingCountItem,
        "nothing would have been found");

    public static FindingCountItem From(DetectResponse.Types.KindCount kind) => new(kind.Cause, kind.Findings, kind.PerSeriesDay);
}
