using System.Globalization;
using System.Text;
using NodeAgent.Journal.Files;
using NodeAgent.Sampling.Events;

namespace NodeAgent.Agent.Events;

/// <summary>
/// How far the kernel log was read, for the agent's next life within the same boot: an XID is told and spooled once, not at every restart.
/// Written when the spool has what was read, so that an end at any moment repeats events rather than losing some; the aggregator
/// knows the repeated ones by boot id and number. Never synced: a power cut ends the boot, and with it what the numbers mean.
/// </summary>
internal sealed class KernelLogBookmark(IFileOps files, string directory)
{
    /// <summary>In the spool's directory: who deletes the spool wants to hear it all again.</summary>
    internal const string FileName = "kernel-log";

    private const int MaxBytes = 128; // a boot id has 36 characters, a number at most 20

    private readonly Lock _lock = new();
    private ulong _noted; // the spool's sequence that has to be safe first; 0: nothing is to be written
    private KernelLogCursor _cursor;

    /// <summary>Times that it could not be written; events may then be told again after a restart.</summary>
    internal long Failures { get; private set; }

    private string FilePath => Path.Combine(directory, FileName);

    /// <summary>Null: there is none that can be read, or it is of another boot.</summary>
    internal KernelLogCursor? Read(string bootId)
    {
        string[] words = files.TryReadWhole(FilePath, MaxBytes, out _) is { } line ? Encoding.ASCII.GetString(line).Split(' ') : [];
        return words.Length == 2 && bootId.Length > 0 && words[0] == bootId && words[1].EndsWith('\n')
            && ulong.TryParse(words[1].AsSpan(0, words[1].Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out ulong next)
            ? new KernelLogCursor(bootId, next) : null;
    }

    /// <summary>Events up to the cursor are in the spool, the last one under this sequence. Does not touch the disk.</summary>
    internal void Note(ulong sequence, KernelLogCursor cursor)
    {
        lock (_lock)
        {
            (_noted, _cursor) = (sequence, cursor);
        }
    }

    /// <summary>Writes what was noted if the spool's disk has it by now. By a thread that may wait for the disk.</summary>
    internal void Save(ulong durableThrough)
    {
        KernelLogCursor cursor;
        lock (_lock)
        {
            if (_noted == 0 || _noted > durableThrough)
            {
                return;
            }

            (cursor, _noted) = (_cursor, 0);
        }

        // An end in the middle leaves the old one; one that is torn all the same reads as none.
        byte[] line = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{cursor.BootId} {cursor.NextSequence}\n"));
        if (!files.TryReplace(FilePath, line, isDurable: false, out _))
        {
            Failures++;
        }
    }
}
