using System.Diagnostics;

namespace NodeAgent.Ctl.Tests;

/// <summary>The real process where the scripted world cannot stand in for it: its standard output.</summary>
public sealed class ProgramTests
{
    [Fact]
    public async Task Output_IntoOneFileTwice_IsThereTwice()
    {
        string lines = await ShellAsync("file=$(mktemp); (\"$0\" version -o csv; \"$0\" version -o csv) > \"$file\"; wc -l < \"$file\"; rm \"$file\"");

        Assert.Equal("4", lines.Trim());
    }

    private static async Task<string> ShellAsync(string script)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("needs a POSIX shell");
        string program = Path.Combine(AppContext.BaseDirectory, "nodectl");
        if (!File.Exists(program)) Assert.Skip($"{program} is not beside the tests");
        using Process shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script, program]) { RedirectStandardOutput = true })!;
        string output = await shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        return output;
    }
}
