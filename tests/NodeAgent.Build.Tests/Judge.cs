using System.Diagnostics;
using NodeAgent.Build.Packaging;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Tests;

/// <summary>A program from outside that says whether something of ours is well-formed.</summary>
internal static class Judge
{
    /// <summary>Runs it; skips the test, naming the package, where it is not installed.</summary>
    internal static (int Code, string Output) Run(string program, string package, params string[] arguments)
    {
        if (Tool.Find(program) is not { } path)
        {
            Assert.Skip($"{program} is not installed (Debian: apt-get install {package})");
            throw new UnreachableException();
        }

        ProcessStartInfo start = new(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Repository.Root };
        start.Environment["LC_ALL"] = "C.UTF-8";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + error.Result;
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    /// <summary>It must be content, and silent.</summary>
    internal static void AssertClean(string program, string package, params string[] arguments)
    {
        (int code, string output) = Run(program, package, arguments);

        Assert.True(code == 0 && output.Trim().Length == 0, $"{program} {string.Join(' ', arguments)} ended with {code}:\n{output}");
    }
}
