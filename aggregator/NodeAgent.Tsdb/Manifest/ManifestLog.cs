using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Writing;
using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Manifest;

/// <summary>
/// The store's memory of what there is: schemas, segments, and how far the files have got, as records of a journal of its own. It is
/// shortened by writing everything that holds anew behind what there is, and releasing what came before.
/// Used by the threads that write files, under the store's publication lock.
/// </summary>
internal sealed class ManifestLog : IDisposable
{
    private const int MaxRecordBytes = 16 * 1024 * 1024;

    private readonly DurableLog _log;
    private readonly ChunkWriter _record = new();

    private ManifestLog(DurableLog log) => _log = log;

    /// <summary>The journal itself, for a backup.</summary>
    public DurableLog Journal => _log;

    public RecoveryReport Recovery => _log.Recovery;

    public JournalError? Error => _log.Status().Error;

    public long DiskBytes => _log.Status().DiskBytes;

    public static bool TryOpen(
        string directory, IFileOps files, TimeProvider time, [NotNullWhen(true)] out ManifestLog? manifest, [NotNullWhen(false)] out OpenError? error)
    {
        JournalOptions options = new()
        {
            Directory = directory,
            SegmentBytes = 32 * 1024 * 1024,
            MaxRecordBytes = MaxRecordBytes,
            MaxPendingBytes = 2 * MaxRecordBytes,
            Commit = CommitPolicy.None,
            RetryDelay = TimeSpan.FromTicks(1), // the store has its own pace of trying again
        };
        manifest = DurableLog.TryOpen(options, files, time, out DurableLog? log, out error) ? new ManifestLog(log) : null;
        return manifest is not null;
    }

    /// <summary>Everything the journal has, in order. False: the disk refused to give it.</summary>
    public bool TryReplay(IManifestReplay into)
    {
        using JournalReader reader = _log.OpenReader(0);
        while (reader.TryRead(out JournalRecord record))
        {
            ChunkReader bytes = new(record.Payload);
            switch ((ManifestRecord)record.Type)
            {
                case ManifestRecord.Schema:
                    into.Schema(ManifestRecords.ReadSchema(record.Payload));
                    break;
                case ManifestRecord.Edit:
                    into.Edit(ManifestRecords.ReadEdit(record.Payload));
                    break;
                case ManifestRecord.States:
                    while (ManifestRecords.TryReadState(ref bytes, out int id, out SchemaState state))
                    {
                        into.State(id, state);
                    }

                    break;
                case ManifestRecord.Forget:
                    while (!bytes.IsEmpty)
                    {
                        into.Forget(ManifestRecords.ReadInt(ref bytes));
                    }

                    break;
                case ManifestRecord.ForgetSeries:
                    while (!bytes.IsEmpty)
                    {
                        into.ForgetSeries(ManifestRecords.ReadInt(ref bytes));
                    }

                    break;
                case ManifestRecord.Log:
                    into.Log(new Guid(record.Payload));
                    break;
                default:
                    throw new InvalidDataException($"The manifest has a record of type {record.Type}, which a later version may have written.");
            }
        }

        return reader.Error is null;
    }

    /// <summary>Makes schemas known that the next edit's segments hold. False: the disk refuses; they are not known.</summary>
    public bool TryRecord(IReadOnlyList<MemorySchema> schemas)
    {
        foreach (MemorySchema schema in schemas)
        {
            _record.Clear();
            ManifestRecords.Write(_record, schema);
            if (!TryAppend(ManifestRecord.Schema))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Takes an edit into memory; <see cref="TryCommit"/> makes it durable. False: it was not taken.</summary>
    public bool TryRecord(SegmentEdit edit)
    {
        _record.Clear();
        ManifestRecords.Write(_record, edit);
        return TryAppend(ManifestRecord.Edit);
    }

    /// <summary>Notes what the files hold. Best effort: without it a replay only takes longer.</summary>
    public void Record(IReadOnlyList<(MemorySchema Schema, SchemaState State)> states)
    {
        _record.Clear();
        foreach ((MemorySchema schema, SchemaState state) in states)
        {
            ManifestRecords.Write(_record, schema.Id, state);
            if (_record.Length > 256 * 1024)
            {
                TryAppend(ManifestRecord.States);
                _record.Clear();
            }
        }

        if (_record.Length > 0)
        {
            TryAppend(ManifestRecord.States);
        }
    }

    public bool TryForget(IReadOnlyList<MemorySchema> schemas)
    {
        _record.Clear();
        foreach (MemorySchema schema in schemas)
        {
            _record.WriteUnsigned((ulong)schema.Id);
        }

        return TryAppend(ManifestRecord.Forget);
    }

    /// <summary>Notes that series are gone. Best effort until the next commit, like <see cref="TryForget"/>.</summary>
    public bool TryForgetSeries(IReadOnlyList<int> ids)
    {
        foreach (int[] some in ids.Chunk(100_000))
        {
            _record.Clear();
            Array.ForEach(some, id => _record.WriteUnsigned((ulong)id));
            if (!TryAppend(ManifestRecord.ForgetSeries))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Notes whose ids the edits and states name. False: it was not taken.</summary>
    public bool TryRecord(Guid logId)
    {
        _record.Clear();
        Span<byte> bytes = stackalloc byte[16];
        logId.TryWriteBytes(bytes);
        _record.Write(bytes);
        return TryAppend(ManifestRecord.Log);
    }

    /// <summary>False: the disk refuses. What was taken stays in memory and is written by a later call, or lost with the process.</summary>
    public bool TryCommit() => _log.Commit() == CommitOutcome.Done;

    /// <summary>Writes all that holds behind what there is, then frees what came before.</summary>
    public bool TryShorten(Guid logId, IReadOnlyList<(MemorySchema Schema, SchemaState State)> schemas, SegmentEdit whole)
    {
        ulong before = _log.Status().NextId - 1;
        if (!TryRecord(logId) || !TryRecord([.. schemas.Select(pair => pair.Schema)]) || !TryRecord(whole))
        {
            return false;
        }

        Record(schemas);
        if (!TryCommit())
        {
            return false;
        }

        _log.ReleaseUpTo(before);
        return true;
    }

    public void Dispose() => _log.Dispose();

    /// <summary>Appends what the scratch record holds, making room by a commit where memory is full.</summary>
    private bool TryAppend(ManifestRecord type)
    {
        AppendOutcome outcome = _log.TryAppend((byte)type, _record.Written).Outcome;
        if (outcome == AppendOutcome.Full && TryCommit())
        {
            outcome = _log.TryAppend((byte)type, _record.Written).Outcome;
        }

        return outcome == AppendOutcome.Pending;
    }
}

/// <summary>Receives a manifest's records.</summary>
internal interface IManifestReplay
{
    void Schema(SchemaRecord record);

    void Edit(SegmentEdit edit);

    void State(int schemaId, SchemaState state);

    void Forget(int schemaId);

    void Log(Guid logId);

    void ForgetSeries(int seriesId);
}
