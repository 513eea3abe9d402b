namespace NodeAgent.Tsdb;

/// <summary>
/// A store that keeps its samples in files, and the seam to the write-ahead log that stands in front of it. The log is the owner's, not
/// the store's: it keeps what came from the agents until the store says that it does not need it any more.
/// <para>
/// The contract, in the order in which things happen:
/// </para>
/// <list type="number">
/// <item>A record becomes durable in the log under an id that grows. Its rows are appended here under that id, in any order of threads.
/// </item>
/// <item>About once a second the owner asks <see cref="DurableThrough"/> and vouches for what it has handed over; the answer may be released
/// from the log. The store's files follow about ten minutes behind (<see cref="Flush"/> hurries).</item>
/// <item>After a restart, however it came about, the owner hands over all records that are still in the log, each schema's in the order of
/// their ids, before it answers queries or takes new ones. Rows that the files have are recognised by their ids and cost next to nothing
/// (<see cref="AppendResult.Duplicate"/>); the others are stored as they were the first time. Records at or below
/// <see cref="RecoveredWalId"/> need not be handed over.</item>
/// </list>
/// <para>
/// Registrations are not the log's to remember for the store's sake: what the files hold can be read without them. They are repeated
/// in the replay because rows need a handle.
/// </para>
/// </summary>
public interface IDurableStore : ITimeSeriesStore
{
    /// <summary>
    /// Says which log the ids are of; before anything is appended. An id means something only in its own log: a store that meets another
    /// one (it was made anew, or one of the two was restored from a backup) forgets how far the former's records were in files, and takes
    /// everything that comes. Rows that it has already are then stored once more and folded together by merging.
    /// </summary>
    /// <param name="logId">Of the log's life: another one when it begins anew.</param>
    /// <param name="newestId">
    /// The last id that the log has given. Below what the files hold: damage took the log's end, and the ids behind it will be given again.
    /// </param>
    /// <returns>False: the disk refused to note it; do not append.</returns>
    bool UseLog(Guid logId, ulong newestId);

    /// <summary>All rows of log records up to this one were in files when the store was opened; 0: none.</summary>
    ulong RecoveredWalId { get; }

    /// <summary>As <see cref="ISeriesWriter.Append"/>, for a row that came with a record of the log.</summary>
    /// <param name="schema">From <see cref="ISeriesWriter.Register"/> of the same store.</param>
    /// <param name="unixMs">The row's time.</param>
    /// <param name="values">By column.</param>
    /// <param name="present">Bit per column.</param>
    /// <param name="walId">
    /// The record's id. Two rows of a series with the same time: the later call wins, so replay a schema in the order of ids. 0: the row is in no
    /// log, and lost with the process until it is in a file.
    /// </param>
    AppendResult Append(SchemaHandle schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, ulong walId);

    /// <summary>
    /// The largest id, at most <paramref name="appendedThrough"/>, up to which every row is durable in files: the log may release it.
    /// Never falls. Costs a look at each schema; does not wait for writers or files.
    /// </summary>
    /// <param name="appendedThrough">
    /// The caller vouches: every record with an id up to this is durable in the log (an id that a crash takes back is given again, to another
    /// record) and was handed to <see cref="Append(SchemaHandle, long, ReadOnlySpan{double},
    /// ReadOnlySpan{ulong}, ulong)"/> and that call has returned, or it had no rows, or its rows were refused.
    /// </param>
    ulong DurableThrough(ulong appendedThrough);

    /// <summary>
    /// Writes everything that was appended before the call into files and waits for the disk. For an orderly stop and for backups; in
    /// between, files are written in the background.
    /// </summary>
    /// <returns>False: the disk refused. Nothing is lost, the heads are kept and written later.</returns>
    bool Flush();
}
