using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>What a kernel or a person does to a process.</summary>
internal static class ProcessSignals
{
    private const int SigHup = 1;
    private const int SigKill = 9;
    private const int SigCont = 18;
    private const int SigStop = 19;

    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(15);

    extension(RealProcess process)
    {
        /// <summary>SIGKILL, and its end awaited.</summary>
        internal async Task KillAsync()
        {
            process.Signal(SigKill);
            Assert.True(await process.WaitForExitAsync(EndLimit).ConfigureAwait(false), $"{process.Name} did not end after SIGKILL");
        }

        internal void Pause() => process.Signal(SigStop);

        internal void Resume() => process.Signal(SigCont);

        internal void HangUp() => process.Signal(SigHup);

        /// <summary>Lines with this event.</summary>
        internal int Count(string eventName) => process.Lines.Count(line => line.Contains($"event={eventName}", StringComparison.Ordinal));

        internal Task<string> WaitForEventAsync(string eventName, TimeSpan limit) =>
            process.WaitForLineAsync(line => line.Contains($"event={eventName}", StringComparison.Ordinal), limit);

        /// <summary>Resident memory in bytes.</summary>
        internal long ResidentBytes() => Status(process.Id, "VmRSS:") * 1024;

        internal long Threads() => Status(process.Id, "Threads:");

        /// <summary>User and system time so far (/proc/PID/stat, in hundredths of a second).</summary>
        internal TimeSpan ProcessorTime()
        {
            string stat = File.ReadAllText($"/proc/{process.Id}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromSeconds((long.Parse(fields[11]) + long.Parse(fields[12])) / 100.0);
        }

        internal int OpenFiles() => Directory.EnumerateFileSystemEntries($"/proc/{process.Id}/fd").Count();
    }

    private static long Status(int id, string key) =>
        long.Parse(File.ReadLines($"/proc/{id}/status").First(line => line.StartsWith(key, StringComparison.Ordinal)).Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1]);
}
