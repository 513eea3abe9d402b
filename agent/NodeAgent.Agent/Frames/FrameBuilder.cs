using System.Numerics;
using NodeAgent.Agent.Spool;
using NodeAgent.Contracts.Frames;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Agent.Frames;

/// <summary>
/// Turns one tick's tables into one encoded <c>AgentMessage{frame}</c> and appends it to the spool. Registers a new schema
/// whenever a table's columns changed. Runs on the tick thread; allocates only when columns change.
/// </summary>
internal sealed class FrameBuilder(ISpool spool)
{
    /// <summary>
    /// Frames from one key frame to the next. A reconnect sends at most this many again, and a reader that lost its history
    /// waits at most this long; at 60, key frames cost a few per cent of the bytes.
    /// </summary>
    internal const int FramesPerKey = 60;

    private readonly Dictionary<SeriesTable, Column> _columns = [];
    private readonly ProtoWriter _frame = new();
    private readonly ProtoWriter _message = new();
    private int _framesUntilKey;
    private int _samples; // in the frame begun
    private bool _isOpen; // between Begin and End

    /// <summary>Starts the frame of a tick.</summary>
    internal void Begin(long wallUnixMs, ulong monotonicNs, uint clockQuality)
    {
        // A frame that was begun and never ended (its tick threw) has moved the encoders past what any reader will see.
        bool key = _framesUntilKey == 0 || _isOpen;
        _isOpen = true;
        if (key)
        {
            _framesUntilKey = FramesPerKey;
            foreach (Column column in _columns.Values)
            {
                column.Encoder.Reset();
            }
        }

        IsKey = key;
        IsEmpty = true;
        _framesUntilKey--;
        _samples = 0;
        _frame.Clear();
        _frame.WriteVarintField(1, spool.NextSequence);
        _frame.WriteVarintField(2, (ulong)wallUnixMs);
        _frame.WriteVarintField(3, monotonicNs);
        _frame.WriteVarintField(4, clockQuality);
        if (key)
        {
            _frame.WriteVarintField(5, 1);
        }

        if (spool.Boot > 0)
        {
            _frame.WriteVarintField(8, spool.Boot);
        }
    }

    /// <summary>The frame begun is one at which a reader can start.</summary>
    internal bool IsKey { get; private set; }

    /// <summary>No block was added since <see cref="Begin"/>.</summary>
    internal bool IsEmpty { get; private set; }

    /// <summary>Adds one sampler's values.</summary>
    internal void Add(string sampler, uint intervalMs, SeriesTable table)
    {
        if (table.Count == 0)
        {
            return;
        }

        if (!_columns.TryGetValue(table, out Column? column) || column.Version != table.Version)
        {
            uint id = spool.Schemas.Register(sampler, intervalMs, table.Definitions, spool.NextSequence, replaces: column?.SchemaId);
            column = new Column(id, table.Version, new BlockEncoder(table.Definitions));
            _columns[table] = column;
        }

        _frame.WriteBlockField(6, column.SchemaId, column.Encoder.Encode(table.Values, table.Present));
        IsEmpty = false;
        foreach (ulong word in table.Present)
        {
            _samples += BitOperations.PopCount(word);
        }
    }

    /// <summary>Ends the frame and hands it to the spool. A frame without blocks is not sent: it would say nothing.</summary>
    internal void End()
    {
        _isOpen = false;
        if (IsEmpty)
        {
            _framesUntilKey = IsKey ? 0 : _framesUntilKey + 1;
            return;
        }

        _message.Clear();
        _message.WriteBytesField(3, _frame.Written);
        if (!spool.Append(_message.Written, IsKey ? RecordKind.KeyFrame : RecordKind.Frame, _samples))
        {
            _framesUntilKey = 0;
        }
    }

    private sealed record Column(uint SchemaId, int Version, BlockEncoder Encoder);
}
