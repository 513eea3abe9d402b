using System.Runtime.InteropServices;

namespace NodeAgent.Hosting.Lifetime;

/// <summary>The hard way out.</summary>
public static partial class ProcessExit
{
    /// <summary>
    /// Ends the process without exit handlers and finalizers. <see cref="Environment.Exit"/> runs them, and what hangs in an orderly stop
    /// (a driver call, a native thread) would hang there again.
    /// </summary>
    public static void Now(int exitCode)
    {
        if (OperatingSystem.IsWindows())
        {
            Environment.Exit(exitCode);
        }

        ExitGroup(exitCode);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitGroup(int status);
}
