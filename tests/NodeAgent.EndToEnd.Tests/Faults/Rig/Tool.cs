using System.Diagnostics;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>Small system tools, run to their end.</summary>
internal static class Tool
{
    private const int LimitMs = 20_000;

    /// <summary>Runs a tool; false when it is missing or fails, with what it said.</summary>
    internal static bool TryRun(out string output, string file, params string[] arguments)
    {
        ProcessStartInfo start = new(file) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            using Process process = Process.Start(start)!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            output = process.StandardOutput.ReadToEnd();
            output += error.Result;
            if (!process.WaitForExit(LimitMs))
            {
                process.Kill();
                output += " (did not end)";
                return false;
            }

            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            output = $"{file}: {e.Message}";
            return false;
        }
    }

    /// <summary>Runs a tool that must succeed.</summary>
    internal static string Run(string file, params string[] arguments) =>
        TryRun(out string output, file, arguments) ? output : throw new InvalidOperationException($"{file} {string.Join(' ', arguments)}: {output}");
}
