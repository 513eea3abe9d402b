using System.Globalization;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>A control group (version 1) of the test's own: limits for a process that it starts. Gone on disposal, or with the next run's sweep.</summary>
internal sealed class ControlGroup : IDisposable
{
    private static int _made;

    internal string Folder { get; }

    private ControlGroup(string folder) => Folder = folder;

    /// <summary>Starts a program inside.</summary>
    internal Launcher Launcher => Launcher.With("sh", "-c", $"echo $$ > {Folder}/cgroup.procs; exec \"$@\"", "sh");

    /// <summary>Makes one, or skips the test with what is missing.</summary>
    internal static ControlGroup MakeOrSkip(string controller)
    {
        Sweep.Once();
        string folder = $"/sys/fs/cgroup/{controller}/{Sweep.NamePrefix}{Interlocked.Increment(ref _made)}";
        try
        {
            Assert.SkipUnless(Directory.Exists($"/sys/fs/cgroup/{controller}"), $"no cgroup v1 controller '{controller}' here");
            Directory.CreateDirectory(folder);
            return new ControlGroup(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Assert.Skip($"cgroup v1 controller '{controller}' cannot be used here: {e.Message}");
            throw;
        }
    }

    internal void Set(string file, long value) => File.WriteAllText(Path.Combine(Folder, file), value.ToString(CultureInfo.InvariantCulture));

    internal long Get(string file) => long.Parse(File.ReadAllText(Path.Combine(Folder, file)), CultureInfo.InvariantCulture);

    /// <summary>Moves a running process, with all its threads, into it.</summary>
    internal void Take(int process) => Set("cgroup.procs", process);

    /// <summary>Moves one running thread into it; version 1 of control groups can.</summary>
    internal void TakeThread(int thread) => Set("tasks", thread);

    public void Dispose()
    {
        // The last process may still be on its way out, and a group with a process cannot go.
        for (int i = 0; i < 100 && Directory.Exists(Folder); i++)
        {
            if (Tool.TryRun(out _, "rmdir", Folder))
            {
                return;
            }

            Thread.Yield();
        }
    }
}
