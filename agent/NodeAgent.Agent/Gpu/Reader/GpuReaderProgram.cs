using System.Runtime.InteropServices;
using NodeAgent.Agent.Gpu.Readings;

namespace NodeAgent.Agent.Gpu.Reader;

/// <summary>
/// <c>nodeagent gpu-reader NAME</c>: the disposable process that talks to NVML. It opens nothing else, logs nothing and is told everything
/// through the memory it shares with the agent that started it.
/// </summary>
internal static partial class GpuReaderProgram
{
    /// <summary>The first argument.</summary>
    internal const string Verb = "gpu-reader";

    /// <summary>Exit codes, for the agent's log.</summary>
    internal const int Done = 0;
    internal const int NeedsRestart = 10;
    internal const int Orphaned = 11;
    internal const int Bug = 12;

    internal static int Run(IReadOnlyList<string> arguments)
    {
        if (arguments.Count != 1)
        {
            Console.Error.WriteLine($"nodeagent: {Verb} is started by the agent itself");
            return 2;
        }

        DetachStreams();
        using SharedReadings shared = SharedReadings.Open(arguments[0]);
        try
        {
            return new GpuReader(shared, TimeProvider.System, IsOrphan).Run();
        }
        catch (Exception e) // the process ends anyway; its last words are for the agent's log
        {
            unsafe
            {
                SharedReadings.Write(new Span<byte>(shared.HeadPointer->Problem, ReadingsHead.PathBytes), e.ToString());
            }

            return Bug;
        }
    }

    private static bool IsOrphan(int agent) => !OperatingSystem.IsWindows() && GetParent() != agent;

    /// <summary>
    /// A reader that hangs outlives its agent; it must not hold the agent's log open, or whoever reads that log never sees it end.
    /// </summary>
    private static void DetachStreams()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        const int ReadWrite = 2;
        int nothing = Open("/dev/null", ReadWrite);
        for (int stream = 0; nothing >= 0 && stream < 3; stream++)
        {
            _ = Duplicate(nothing, stream);
        }
    }

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParent();

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    private static partial int Duplicate(int from, int to);
}
