using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>One throw-away fleet for all tests of this run: making identities costs a process each, and no test changes them.</summary>
internal static class TestFleet
{
    private static readonly SemaphoreSlim OneAtATime = new(1, 1);
    private static readonly string Root = Directory.CreateTempSubdirectory($"nodeagent-faults-{Environment.ProcessId}-").FullName;

    internal static string Folder => Path.Combine(Root, "fleet");

    /// <summary>Makes the fleet and the nodes' identities where they are missing.</summary>
    internal static async Task EnsureAsync(IEnumerable<string> nodes)
    {
        await OneAtATime.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!File.Exists(Path.Combine(Folder, "operators", "local.key")))
            {
                AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Root, recursive: true);
                await CtlAsync("fleet", "init", Folder, "--name", "faults", "--operator", "local").ConfigureAwait(false);
            }

            foreach (string node in nodes.Where(node => !File.Exists(Path.Combine(Folder, "agents", node + ".key"))))
            {
                await CtlAsync("fleet", "issue", Folder, "agent", node).ConfigureAwait(false);
            }
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    private static async Task CtlAsync(params string[] arguments)
    {
        (int code, string output) = await RealProcess.RunAsync(Repository.CtlProgram, arguments, TimeSpan.FromSeconds(60)).ConfigureAwait(false);
        Assert.True(code == 0, output);
    }
}
