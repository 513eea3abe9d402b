namespace NodeAgent.Sampling.Events;

/// <summary>
/// How far the kernel log has been read: persist it with the events it covers, and hand it back after a restart, so that no
/// record is reported twice and every lost one is counted.
/// </summary>
/// <param name="BootId">The boot whose sequence numbers these are; a cursor of another boot says nothing.</param>
/// <param name="NextSequence">The first record not yet read.</param>
public readonly record struct KernelLogCursor(string BootId, ulong NextSequence);
