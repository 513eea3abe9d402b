using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Spool;

namespace NodeAgent.Simulation.Tests.World;

/// <summary>The real spool, with an ear on what is acknowledged.</summary>
internal sealed class SpoolProbe(ISpool inner, Action<ulong, ulong, ulong> onAcknowledged) : ISpool
{
    private SpoolProbe? _inherited;

    public ISpool? Inherited
    {
        get
        {
            _inherited = inner.Inherited is { } inherited
                ? _inherited is { } probe && probe.IsOf(inherited) ? probe : new SpoolProbe(inherited, onAcknowledged)
                : null;
            return _inherited;
        }
    }

    public ulong Epoch => inner.Epoch;

    public uint Boot => inner.Boot;

    public ulong NextSequence => inner.NextSequence;

    public ulong FirstHeldSequence => inner.FirstHeldSequence;

    public ulong ReadableThrough => inner.ReadableThrough;

    public ulong UnacknowledgedRecords => inner.UnacknowledgedRecords;

    public long HeldBytes => inner.HeldBytes;

    public SpoolCounts Counts => inner.Counts;

    public SpoolMode Mode => inner.Mode;

    public string ModeReason => inner.ModeReason;

    public SchemaBook Schemas => inner.Schemas;

    public Action? OnReadable
    {
        get => inner.OnReadable;
        set => inner.OnReadable = value;
    }

    public bool Append(ReadOnlySpan<byte> message, RecordKind kind, int samples = 0) => inner.Append(message, kind, samples);

    public void Acknowledge(ulong first, ulong last)
    {
        onAcknowledged(inner.Epoch, first, last);
        inner.Acknowledge(first, last);
    }

    private bool IsOf(ISpool spool) => inner == spool;

    public ulong StartAfter(ulong acknowledged) => inner.StartAfter(acknowledged);

    public ulong LiveStart() => inner.LiveStart();

    public bool TryRead(ref ulong sequence, ref byte[] destination, out int length) => inner.TryRead(ref sequence, ref destination, out length);

    public bool IsInMemory(ulong sequence) => inner.IsInMemory(sequence);

    public byte[]? FindSchema(ulong sequence, uint schemaId) => inner.FindSchema(sequence, schemaId);
}
