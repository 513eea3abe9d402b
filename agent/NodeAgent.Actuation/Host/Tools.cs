using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace NodeAgent.Actuation.Host;

/// <summary>How a program ended.</summary>
/// <param name="ExitCode">-1: it did not start, or was ended at its deadline.</param>
/// <param name="TimedOut">It was ended at its deadline, with all it had started.</param>
/// <param name="Output">Standard output, at most <see cref="Tools.MaxOutputBytes"/>.</param>
/// <param name="Error">Standard error, shortened; or why it did not start.</param>
public sealed record ToolResult(int ExitCode, bool TimedOut, byte[] Output, string Error)
{
    public bool Ok => ExitCode == 0 && !TimedOut;

    public string Text => Encoding.UTF8.GetString(Output);

    /// <summary>One sentence for a result that is not ok.</summary>
    public string Problem(string program) =>
        TimedOut ? $"{program} did not end in time"
        : $"{program} ended with {ExitCode}: {(Error.Length > 0 ? Error : Text.Trim())}";
}

/// <summary>
/// Starts programs: an absolute path, an array of arguments, an environment of three lines, no shell, a deadline, a bound on what they
/// print. What they inherit of this process is nothing that matters.
/// </summary>
/// <param name="prefix">Put before every command line, like "ip netns exec NAME"; empty in life, for tests.</param>
public sealed class Tools(params string[] prefix)
{
    public const int MaxOutputBytes = 64 * 1024;

    private const int MaxErrorCharacters = 500;

    public ToolResult Run(string program, IReadOnlyList<string> arguments, CancellationToken deadline)
    {
        string[] line = [.. prefix, program, .. arguments];
        ProcessStartInfo start = new(line[0]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = "/" };
        foreach (string argument in line.Skip(1)) start.ArgumentList.Add(argument);
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["LC_ALL"] = "C";
        start.Environment["SYSTEMD_COLORS"] = "0";
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            return Wait(process, deadline);
        }
        catch (Win32Exception e)
        {
            return new ToolResult(-1, false, [], $"{program} does not start: {e.Message}");
        }
    }

    private static ToolResult Wait(Process process, CancellationToken deadline)
    {
        Task<byte[]> output = ReadAsync(process.StandardOutput.BaseStream, deadline);
        Task<byte[]> error = ReadAsync(process.StandardError.BaseStream, deadline);
        try
        {
            process.WaitForExitAsync(deadline).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new ToolResult(-1, true, [], "");
        }

        string text = Encoding.UTF8.GetString(error.GetAwaiter().GetResult()).Trim();
        byte[] printed = output.GetAwaiter().GetResult();
        return new ToolResult(process.ExitCode, deadline.IsCancellationRequested, printed, text.Length > MaxErrorCharacters ? text[..MaxErrorCharacters] : text);
    }

    // Reads on beyond the bound and throws that away: a program that prints much must not block on a full pipe until its deadline.
    private static async Task<byte[]> ReadAsync(Stream stream, CancellationToken deadline)
    {
        byte[] kept = new byte[MaxOutputBytes];
        byte[] rest = new byte[16 * 1024];
        int length = 0;
        try
        {
            while (true)
            {
                Memory<byte> into = length < kept.Length ? kept.AsMemory(length) : rest;
                int read = await stream.ReadAsync(into, deadline).ConfigureAwait(false);
                if (read == 0) break;
                length = Math.Min(kept.Length, length + read);
            }
        }
        catch (OperationCanceledException)
        {
            // The deadline: what was printed until then is still worth something, and the result says that time was up.
            return kept[..length];
        }

        return kept[..length];
    }
}
