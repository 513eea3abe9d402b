using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary>
/// "Ten minutes ago" means the aggregator's ten minutes: its samples carry its fleet's time, and a laptop whose clock is off
/// would otherwise get an empty answer without knowing why.
/// </summary>
internal static class ServerClock
{
    /// <summary>Reads a moment; asks the aggregator for its clock only when the text is relative.</summary>
    public static async Task<long> ParseAsync(string option, string text, CommandContext context, CancellationToken cancellation)
    {
        if (!MomentText.TryParse(text, DateTimeOffset.UnixEpoch.AddYears(1000), out long absolute))
        {
            throw CtlException.Usage($"cannot read {option}", $"'{text}' is no time", "Write 10m (ago), now, 2026-11-21T09:00:00Z or '2026-11-21 09:00' (UTC).");
        }

        bool relative = text.Trim() == "now" || DurationText.TryParse(text.Trim().TrimStart('-'), out _);
        if (!relative) return absolute;
        MomentText.TryParse(text, await NowAsync(context, cancellation).ConfigureAwait(false), out long moment);
        return moment;
    }

    public static async Task<DateTimeOffset> NowAsync(CommandContext context, CancellationToken cancellation)
    {
        GetStatusResponse status = await context.Fleet.GetStatusAsync(new GetStatusRequest(), cancellation).ConfigureAwait(false);
        return DateTimeOffset.FromUnixTimeMilliseconds(status.WallUnixMs);
    }
}
