using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Views;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl version</c>.</summary>
internal static class VersionCommand
{
    /// <summary>The product's version, without the build's commit.</summary>
    public static string Version { get; } =
        (typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];

    public static Command Build(CommandRunner run)
    {
        Command command = new("version", "Show what this program is");
        run.On(command, (context, _) =>
        {
            VersionItem item = new(Version, JsonText.ApiVersion, "nodeagent.v1", RuntimeInformation.FrameworkDescription, RuntimeInformation.RuntimeIdentifier);
            context.Printer.Single(VersionView.Listing, item, () => VersionView.Render(item));
            return Task.CompletedTask;
        });
        return command;
    }
}
