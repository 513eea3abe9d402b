using NodeAgent.Agent.Frames;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// Holds records between the tick that made them and the aggregator's acknowledgement, in order, each under its sequence.
/// The tick thread appends, the uplink reads and acknowledges; every member may be called from any thread.
/// <para>
/// Sequences only grow, but may have holes: what was dropped or lost, and after an end that left it uncertain which sequences were given
/// out, a jump of the next one to a multiple of 2^32 plus one. A reader takes whatever <see cref="TryRead"/> finds next.
/// </para>
/// </summary>
internal interface ISpool
{
    /// <summary>Names this spool's life: sequences and schema ids are unique within it. Never 0. Survives a restart of the agent.</summary>
    ulong Epoch { get; }

    /// <summary>Boots of the host that the epoch had seen before the present one: <c>Frame.boot</c> of the frames made now.</summary>
    uint Boot { get; }

    /// <summary>The sequence that the next appended record gets; the first is 1.</summary>
    ulong NextSequence { get; }

    /// <summary>
    /// The oldest sequence that may be held and owed; equal to <see cref="NextSequence"/> when there is none. Readers that have to start at a key frame
    /// find one before it with <see cref="StartAfter"/>.
    /// </summary>
    ulong FirstHeldSequence { get; }

    /// <summary>
    /// The highest sequence that may be sent: what is after it could still be taken back by a power cut, and its sequence given again. 0: none yet.
    /// Without a disk, all that was appended.
    /// </summary>
    ulong ReadableThrough { get; }

    /// <summary>Records held that the aggregator has not acknowledged.</summary>
    ulong UnacknowledgedRecords { get; }

    /// <summary>Bytes of records held now, on disk and in memory.</summary>
    long HeldBytes { get; }

    /// <summary>What was dropped and thinned.</summary>
    SpoolCounts Counts { get; }

    SpoolMode Mode { get; }

    /// <summary>Why <see cref="Mode"/> is <see cref="SpoolMode.MemoryOnly"/>, in words; "" while it is durable.</summary>
    string ModeReason { get; }

    /// <summary>
    /// What an earlier life left under an epoch of its own, and nobody has taken yet: to be sent as a backlog, under that epoch. Null: nothing.
    /// It only shrinks, and goes when all of it is acknowledged.
    /// </summary>
    ISpool? Inherited => null;

    /// <summary>The schemas of the frames that are being made. Those of a record read come from <see cref="FindSchema"/>.</summary>
    SchemaBook Schemas { get; }

    /// <summary>
    /// Called after <see cref="ReadableThrough"/> has grown, on whatever thread made it grow: only to wake somebody. Must not throw.
    /// </summary>
    Action? OnReadable { get; set; }

    /// <summary>Whether this record, or the next later one there is, would be read without looking at a file.</summary>
    bool IsInMemory(ulong sequence);

    /// <summary>
    /// Appends a whole encoded message under <see cref="NextSequence"/>. Never waits for a disk and never fails: when there is no room
    /// the oldest records are thinned out or go, and are counted.
    /// </summary>
    /// <param name="message">An <c>AgentMessage</c> with that sequence in it.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="samples">Samples in it, for the counts.</param>
    /// <returns>
    /// False: this record was dropped and counted, or is a frame whose key frame went, which nobody who starts here can read.
    /// The next frame must be a key frame.
    /// </returns>
    bool Append(ReadOnlySpan<byte> message, RecordKind kind, int samples = 0);

    /// <summary>
    /// The aggregator has these sequences, both included; they may be freed. Ranges may come in any order and overlap. Acknowledged records may
    /// still be read until their place is freed.
    /// </summary>
    void Acknowledge(ulong first, ulong last);

    /// <summary>
    /// The sequence from which to send so that the first record after <paramref name="acknowledged"/> can be decoded: the newest
    /// key frame at or before it that is still held, else the oldest held.
    /// </summary>
    ulong StartAfter(ulong acknowledged);

    /// <summary>
    /// The sequence from which to send so that fresh data comes at once: the newest key frame that may be sent, else the next sequence.
    /// </summary>
    ulong LiveStart();

    /// <summary>
    /// Copies the record with this sequence, or the next later one that is held. False where there is none up to
    /// <see cref="ReadableThrough"/>. Made for few readers that each go forward: fresh records come from memory, older ones from disk.
    /// </summary>
    /// <param name="sequence">In: wanted. Out: that of the copied record; a thinned record bears that of the last one it stands for.</param>
    /// <param name="destination">Grown as needed and kept by the caller.</param>
    /// <param name="length">Bytes copied.</param>
    bool TryRead(ref ulong sequence, ref byte[] destination, out int length);

    /// <summary>
    /// The encoded message of a schema that the record read last under this sequence refers to. Null: the record was let go meanwhile, and
    /// must not be sent; <see cref="TryRead"/> never gives out a record whose schemas are not there.
    /// </summary>
    byte[]? FindSchema(ulong sequence, uint schemaId);
}
