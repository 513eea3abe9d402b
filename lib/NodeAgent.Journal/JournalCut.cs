using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Segments;

namespace NodeAgent.Journal;

/// <summary>
/// The files of a journal at one moment, open for reading, so that retention may delete them meanwhile. What lies behind
/// <see cref="JournalPiece.Bytes"/> of a file does not belong to it. For backups.
/// </summary>
public sealed class JournalCut : IDisposable
{
    private readonly IFileOps _files;

    private JournalCut(IFileOps files, Guid journalId, ulong throughId, IReadOnlyList<JournalPiece> pieces)
    {
        _files = files;
        JournalId = journalId;
        ThroughId = throughId;
        Pieces = pieces;
    }

    public Guid JournalId { get; }

    /// <summary>The newest record in it; 0: none.</summary>
    public ulong ThroughId { get; }

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<JournalPiece> Pieces { get; }

    public void Dispose()
    {
        foreach (JournalPiece piece in Pieces) _files.Close(piece.Handle); // opened for reading: nothing can be lost
    }

    internal static bool TryOpen(
        IFileOps files, List<(SegmentInfo Segment, long Bytes)> segments, Guid journalId, ulong throughId,
        [NotNullWhen(true)] out JournalCut? cut, [NotNullWhen(false)] out JournalError? error)
    {
        List<JournalPiece> pieces = [];
        cut = new JournalCut(files, journalId, throughId, pieces);
        foreach ((SegmentInfo segment, long bytes) in segments)
        {
            IoResult opened = files.OpenRetrying(segment.Path, FileOpenMode.Read);
            if (!opened.Ok)
            {
                cut.Dispose();
                cut = null;
                error = new JournalError("open segment", segment.Path, opened.Errno);
                return false;
            }

            pieces.Add(new JournalPiece(Path.GetFileName(segment.Path), opened.Value, bytes));
        }

        error = null;
        return true;
    }
}

/// <summary>One file of a <see cref="JournalCut"/>.</summary>
/// <param name="Name">In the journal's directory.</param>
/// <param name="Handle">Open for reading; closed with the cut.</param>
/// <param name="Bytes">How much of it belongs to the cut.</param>
public sealed record JournalPiece(string Name, long Handle, long Bytes);
