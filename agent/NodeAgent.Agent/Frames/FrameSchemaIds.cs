namespace NodeAgent.Agent.Frames;

/// <summary>
/// Walks the schema ids of a frame's blocks in an encoded <c>AgentMessage</c>, in their order, without allocation; finds none in anything
/// else. Ends quietly at bytes that are no message: what the spool gives out was verified by checksum.
/// </summary>
internal ref struct FrameSchemaIds
{
    private const int FrameField = 3;
    private const int BlocksField = 6;

    private ProtoReader _frame;

    internal FrameSchemaIds(ReadOnlySpan<byte> message)
    {
        ProtoReader outer = new(message);
        while (outer.TryReadField())
        {
            if (outer.Field == FrameField)
            {
                _frame = new ProtoReader(outer.Bytes);
                return;
            }
        }

        _frame = new ProtoReader(default);
    }

    public uint Current { get; private set; }

    public readonly FrameSchemaIds GetEnumerator() => this;

    public bool MoveNext()
    {
        while (_frame.TryReadField())
        {
            if (_frame.Field != BlocksField)
            {
                continue;
            }

            ProtoReader block = new(_frame.Bytes);
            Current = block.TryReadField() && block.Field == 1 ? (uint)block.Number : 0;
            return true;
        }

        return false;
    }
}
