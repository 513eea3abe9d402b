using System.Diagnostics;
using System.Text.RegularExpressions;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>
/// What a test run leaves behind when it is killed itself: processes, network namespaces, control groups. All carry the id of the test
/// process in their name or environment, so that the next run can end exactly those whose owner is gone, and no others.
/// </summary>
internal static partial class Sweep
{
    internal const string OwnerVariable = "NODEAGENT_FAULTS_OWNER";

    /// <summary>Opens every name this run gives to something outside itself.</summary>
    internal static string NamePrefix { get; } = $"nafault-{Environment.ProcessId}-";

    private static readonly Lazy<bool> Done = new(() =>
    {
        Processes();
        NetworkNamespaces();
        ControlGroups();
        return true;
    });

    /// <summary>Once a run.</summary>
    internal static void Once() => _ = Done.Value;

    internal static Dictionary<string, string> Mark(IReadOnlyDictionary<string, string> environment) =>
        new(environment) { [OwnerVariable] = Environment.ProcessId.ToString() };

    private static void Processes()
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc").Where(folder => int.TryParse(Path.GetFileName(folder), out _)))
        {
            if (OwnerOf(folder) is { } owner && !IsAlive(owner))
            {
                using Process left = Process.GetProcessById(int.Parse(Path.GetFileName(folder)));
                left.Kill();
            }
        }
    }

    private static int? OwnerOf(string folder)
    {
        try
        {
            string? mark = File.ReadAllText(Path.Combine(folder, "environ")).Split('\0')
                .FirstOrDefault(entry => entry.StartsWith(OwnerVariable + "=", StringComparison.Ordinal));
            return mark is null ? null : int.Parse(mark[(OwnerVariable.Length + 1)..]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone meanwhile, or not ours to see: then it is not one of ours.
            return null;
        }
    }

    private static void NetworkNamespaces()
    {
        foreach (string name in Names("/run/netns"))
        {
            Tool.Run("ip", "netns", "del", name);
        }
    }

    private static void ControlGroups()
    {
        foreach (string controller in new[] { "memory", "pids", "cpu", "freezer" })
        {
            foreach (string name in Names($"/sys/fs/cgroup/{controller}"))
            {
                Directory.Delete($"/sys/fs/cgroup/{controller}/{name}");
            }
        }
    }

    private static IEnumerable<string> Names(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path))
            .Where(name => OurName().Match(name) is { Success: true } match && !IsAlive(int.Parse(match.Groups[1].ValueSpan)))];

    private static bool IsAlive(int id) => Directory.Exists($"/proc/{id}");

    [GeneratedRegex(@"^nafault-(\d+)-")]
    private static partial Regex OurName();
}
