using System.Diagnostics;
using System.Globalization;
using System.Xml.Linq;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Packaging;

/// <summary>What every package of one build says of itself.</summary>
/// <param name="Version">Such as <c>0.1.0</c>; from Directory.Build.props.</param>
/// <param name="Date">The one time that stands in packages, so that the same commit gives the same bytes on any day.</param>
internal sealed record Release(string Version, DateTimeOffset Date)
{
    /// <summary>Who is named in packages.</summary>
    internal const string Maintainer = "NodeAgent maintainers <maintainers@nodeagent.example>";

    /// <summary>SOURCE_DATE_EPOCH (reproducible-builds.org/specs/source-date-epoch), else the commit's date, else 1980, where zip's calendar begins.</summary>
    internal static async Task<Release> OfThisTreeAsync()
    {
        XDocument properties = XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props"));
        string version = properties.Descendants("Version").First().Value;
        string epoch = Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH") ?? await CommitEpochAsync().ConfigureAwait(false);
        return new Release(version, DateTimeOffset.FromUnixTimeSeconds(
            long.TryParse(epoch, CultureInfo.InvariantCulture, out long seconds) ? seconds : new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds()));
    }

    private static async Task<string> CommitEpochAsync()
    {
        ProcessStartInfo start = new("git", ["log", "-1", "--format=%ct"]) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true };
        try
        {
            using Process git = Process.Start(start)!;
            string text = await git.StandardOutput.ReadToEndAsync().ConfigureAwait(false);
            await git.WaitForExitAsync().ConfigureAwait(false);
            return text.Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return ""; // a tarball on a machine without git
        }
    }
}
