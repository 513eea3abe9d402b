using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Manifest;

/// <summary>What holds after all records of a manifest.</summary>
internal sealed class ManifestState : IManifestReplay
{
    public Dictionary<int, SchemaRecord> Schemas { get; } = [];

    public Dictionary<int, SchemaState> States { get; } = [];

    public SortedDictionary<long, SegmentInfo> Segments { get; } = [];

    public NextIds NextIds { get; private set; } = new(0, 1, 1, 1, 1);

    public ulong WalId { get; private set; }

    void IManifestReplay.Schema(SchemaRecord record)
    {
        Schemas[record.Id] = record;
        NextIds ids = new(0, 0, record.Id + 1, 0, 0);
        foreach ((int series, int metric) in record.Ids)
        {
            ids = ids.Max(new NextIds(series + 1, metric + 1, 0, 0, 0));
        }

        NextIds = NextIds.Max(ids);
    }

    void IManifestReplay.Edit(SegmentEdit edit)
    {
        if (edit.IsWhole)
        {
            Segments.Clear();
        }

        foreach (long number in edit.Removed)
        {
            Segments.Remove(number);
        }

        foreach (SegmentInfo info in edit.Added)
        {
            Segments[info.Number] = info;
            NextIds = NextIds.Max(new NextIds(0, 0, 0, info.Number + 1, info.Sequence + 1));
        }

        WalId = Math.Max(WalId, edit.WalId);
        NextIds = NextIds.Max(edit.NextIds);
    }

    void IManifestReplay.State(int schemaId, SchemaState state) => States[schemaId] = state;

    /// <summary>Of which log the ids are; empty: none was named.</summary>
    public Guid LogId { get; private set; }

    /// <summary>Series whose ids mean nothing any more.</summary>
    public HashSet<int> ForgottenSeries { get; } = [];

    void IManifestReplay.ForgetSeries(int seriesId) => ForgottenSeries.Add(seriesId);

    void IManifestReplay.Log(Guid logId)
    {
        LogId = logId;
        WalId = 0;
        foreach (int schemaId in States.Keys.ToArray())
        {
            States[schemaId] = States[schemaId] with { DurableWalId = 0 };
        }
    }

    void IManifestReplay.Forget(int schemaId)
    {
        Schemas.Remove(schemaId);
        States.Remove(schemaId);
    }
}
