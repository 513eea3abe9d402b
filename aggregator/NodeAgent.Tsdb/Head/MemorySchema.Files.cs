using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb.Head;

/// <summary>What a schema of a durable store has besides: blocks that leave for files, and what the files hold.</summary>
internal sealed partial class MemorySchema
{
    private const long SilentRetireMs = 24 * 3_600_000L; // a node that is away for a day costs its series' identities, no more

    private volatile SchemaState _state = SchemaState.Empty;

    /// <summary>Dense, never reused; what files and the manifest call the schema.</summary>
    public int Id { get; init; }

    /// <summary>What the files hold of the schema. Replaced by the thread that writes them, under the writer lock.</summary>
    public SchemaState State => _state;

    /// <summary>Whether the manifest knows the schema. Owned by the thread that writes files.</summary>
    public bool IsRecorded { get; set; }

    /// <summary>Smallest log id of the rows that are in no file; <see cref="ulong.MaxValue"/>: none.</summary>
    public ulong FirstWalId => Math.Min(_main.FirstWalId, _late.FirstWalId);

    /// <summary>Counts a row that a replay brought though all files have it.</summary>
    public AppendResult Skip()
    {
        lock (_writer)
        {
            Counters.Count(AppendResult.Duplicate);
            return AppendResult.Duplicate;
        }
    }

    /// <summary>
    /// Whether all that the schema held is in files and nobody will feed it: replaced by another, or silent for long. It takes no rows from
    /// here on; whoever comes with one registers anew.
    /// </summary>
    public bool TryRetire(long nowUnixMs)
    {
        lock (_writer)
        {
            SchemaState state = _state;
            bool isLeft = IsReplaced || nowUnixMs - state.LastUnixMs >= SilentRetireMs;
            bool isInFiles = state.LastUnixMs > long.MinValue && _main.IsEmpty && _late.IsEmpty && _main.Rows is null && _late.Rows is null;
            _expired |= isLeft && isInFiles;
            return isLeft && isInFiles;
        }
    }

    /// <summary>Whether a row may lie in a time range: by what is held in memory and what the files hold.</summary>
    public bool MayHave(long fromUnixMs, long toUnixMs)
    {
        SchemaState state = _state;
        return (state.FirstUnixMs <= toUnixMs && state.LastUnixMs >= fromUnixMs)
            || _main.MayHave(fromUnixMs, toUnixMs) || _late.MayHave(fromUnixMs, toUnixMs);
    }

    /// <summary>The closed blocks in the order in which later writes win: the late part's are younger than the main part's.</summary>
    public void CollectBlocks(List<Block> into)
    {
        into.AddRange(_main.Blocks);
        into.AddRange(_late.Blocks);
    }

    /// <summary>Closes the open rows, so that everything appended so far is in blocks.</summary>
    public void CloseHeads()
    {
        lock (_writer)
        {
            foreach (HeadPart part in (ReadOnlySpan<HeadPart>)[_main, _late])
            {
                if (part.Count > 0)
                {
                    CloseNeedsLock(part);
                }
            }
        }
    }

    /// <summary>Lets go of blocks that are in files now, and notes what the files hold.</summary>
    /// <param name="inFiles">From <see cref="CollectBlocks"/>.</param>
    /// <param name="state">From <see cref="StateWith"/>.</param>
    public void DropBlocks(HashSet<Block> inFiles, SchemaState state)
    {
        lock (_writer)
        {
            _state = state; // before the blocks go: whoever asks whether there is anything must find one of the two
            foreach (HeadPart part in (ReadOnlySpan<HeadPart>)[_main, _late])
            {
                Block[] kept = Array.FindAll(part.Blocks, block => !inFiles.Contains(block));
                foreach (Block block in part.Blocks)
                {
                    _accounts.AddBlockBytes(inFiles.Contains(block) ? -block.Bytes : 0);
                }

                part.Blocks = kept;
            }
        }
    }

    /// <summary>What the files hold once these blocks are in them.</summary>
    /// <param name="inFiles">The blocks that go into files.</param>
    /// <param name="vouchedWalId">No row with an id up to this is on its way any more.</param>
    /// <param name="firstWalId">Smallest log id of the rows that then are in no file; <see cref="ulong.MaxValue"/>: none.</param>
    public SchemaState StateWith(List<Block> inFiles, ulong vouchedWalId, out ulong firstWalId)
    {
        SchemaState state = _state;
        ulong last = 0;
        foreach (Block block in inFiles)
        {
            state = state with
            {
                FirstUnixMs = Math.Min(state.FirstUnixMs, block.FirstUnixMs), LastUnixMs = Math.Max(state.LastUnixMs, block.LastUnixMs),
            };
            last = Math.Max(last, block.WalIds.Last);
        }

        // A row that is neither in these blocks nor in a file bounds what may be called durable; so does one that may yet overtake.
        lock (_writer)
        {
            ulong first = ulong.MaxValue;
            foreach (HeadPart part in (ReadOnlySpan<HeadPart>)[_main, _late])
            {
                first = Math.Min(first, part.WalIds.First);
                foreach (Block block in part.Blocks)
                {
                    first = inFiles.Contains(block) ? first : Math.Min(first, block.WalIds.First);
                }
            }

            firstWalId = first;
            ulong durable = Math.Min(Math.Min(last, vouchedWalId), first - 1);
            return state with { DurableWalId = Math.Max(state.DurableWalId, durable) };
        }
    }

    /// <summary>Takes over what the index log says, before the first row.</summary>
    public void Restore(SchemaState state)
    {
        lock (_writer)
        {
            _state = state;
            _hasRows = state.LastUnixMs > long.MinValue;
            Volatile.Write(ref _newest, _hasRows ? state.LastUnixMs : 0);
        }
    }
}
