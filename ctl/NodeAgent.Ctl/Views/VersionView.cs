using NodeAgent.Ctl.Output;

namespace NodeAgent.Ctl.Views;

/// <summary>What this program is.</summary>
/// <param name="Version">Product version.</param>
/// <param name="Api">The JSON's <c>apiVersion</c>.</param>
/// <param name="Protocol">The gRPC package it speaks.</param>
/// <param name="Runtime">".NET 10.0.1".</param>
/// <param name="Platform">"linux-x64".</param>
internal sealed record VersionItem(string Version, string Api, string Protocol, string Runtime, string Platform);

internal static class VersionView
{
    public static readonly Listing<VersionItem> Listing = new(
        "Version",
        [
            new("VERSION", "version", item => item.Version, item => item.Version),
            new("API", "api", item => item.Api, item => item.Api),
            new("PROTOCOL", "protocol", item => item.Protocol, item => item.Protocol),
            new("RUNTIME", "runtime", item => item.Runtime, item => item.Runtime),
            new("PLATFORM", "platform", item => item.Platform, item => item.Platform),
        ],
        CtlJson.Default.VersionItem,
        "no version");

    public static StyledLines Render(VersionItem item)
    {
        StyledLines lines = new();
        lines.Add(new Cell($"nodectl {item.Version}", Tone.Strong), $" ({item.Protocol}, {item.Runtime}, {item.Platform})");
        return lines;
    }
}
