using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;

namespace NodeAgent.Ctl.Bundle;

/// <summary>What became of one part of a bundle.</summary>
/// <param name="Path">Inside the bundle.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Redactions">Places where a secret was taken out.</param>
/// <param name="Problem">Why it could not be had. Null: it could.</param>
internal sealed record BundleItem(string Path, long Bytes, int Redactions, string? Problem)
{
    public static readonly Listing<BundleItem> Listing = new(
        "BundleContents",
        [
            new("PART", "path", item => item.Path, item => item.Path),
            new("SIZE", "bytes", item => Human.Bytes(item.Bytes), item => Raw.Whole((ulong)item.Bytes)) { RightAligned = true },
            new("REDACTED", "redactions", item => Human.Grouped((ulong)item.Redactions), item => Raw.Whole((ulong)item.Redactions)) { RightAligned = true },
            new("PROBLEM", "problem", item => item.Problem ?? "", item => item.Problem ?? "") { ShrinkTo = 20 },
        ],
        CtlJson.Default.BundleItem,
        "nothing was collected");
}
