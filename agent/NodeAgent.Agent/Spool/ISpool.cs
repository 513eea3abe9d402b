namespace NodeAgent.Agent.Spool;

/// <summary>What a spooled record is to the one who reads it.</summary>
internal enum RecordKind : byte
{
    /// <summary>A frame whose blocks build on earlier frames.</summary>
    Frame = 0,

    /// <summary>A frame at which a reader can start.</summary>
    KeyFrame = 1,

    /// <summary>An event or an inventory: stands alone.</summary>
    Single = 2,
}

/// <summary>
/// Holds records between the tick that made them and the aggregator's acknowledgement, in order, each under its sequence.
/// The tick thread appends, the uplink reads and acknowledges. This is the seam at which the durable spool takes the place of
/// <see cref="MemorySpool"/>.
/// </summary>
internal interface ISpool
{
    /// <summary>Names this spool's life: sequences are unique within it.</summary>
    ulong Epoch { get; }

    /// <summary>The sequence that the next appended record gets; the first is 1.</summary>
    ulong NextSequence { get; }

    /// <summary>The oldest record still held; equal to <see cref="NextSequence"/> when there is none.</summary>
    ulong FirstHeldSequence { get; }

    /// <summary>Records dropped unacknowledged since the epoch began, because the spool was full.</summary>
    ulong DroppedRecords { get; }

    /// <summary>Bytes held now.</summary>
    long HeldBytes { get; }

    /// <summary>
    /// Appends a whole encoded message under <see cref="NextSequence"/>. Never blocks and never fails: when the spool is full
    /// the oldest records go, up to the next one at which a reader can start, and are counted.
    /// </summary>
    /// <returns>
    /// False: this record was dropped and counted, or is a frame whose key frame went, which nobody who starts here can read.
    /// The next frame must be a key frame.
    /// </returns>
    bool Append(ReadOnlySpan<byte> message, RecordKind kind);

    /// <summary>Everything up to and including this sequence may be freed.</summary>
    void Acknowledge(ulong sequence);

    /// <summary>
    /// The sequence from which to send so that the first record after <paramref name="acknowledged"/> can be decoded: the newest
    /// key frame at or before it that is still held, else the oldest held.
    /// </summary>
    ulong StartAfter(ulong acknowledged);

    /// <summary>
    /// Copies the record with this sequence, or the next later one that is held. False where there is none yet.
    /// </summary>
    /// <param name="sequence">In: wanted. Out: that of the copied record.</param>
    /// <param name="destination">Grown as needed and kept by the caller.</param>
    /// <param name="length">Bytes copied.</param>
    bool TryRead(ref ulong sequence, ref byte[] destination, out int length);

    /// <summary>
    /// Completes when something was appended since the last wait completed; appends before the call count. One waiter at a time,
    /// which tries to read again afterwards.
    /// </summary>
    ValueTask WaitForAppendAsync(CancellationToken cancellation);

    /// <summary>Lets the waiter look again although nothing was appended.</summary>
    void Wake();
}
