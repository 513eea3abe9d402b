using NodeAgent.Journal.Reading;

namespace NodeAgent.Journal.Recovery;

/// <summary>
/// Joins what was found broken with what is missing by its ids. The ids alone say how much is lost; the broken places say by what.
/// </summary>
/// <param name="floor">The id that should come first.</param>
/// <param name="isHeadHarmed">There are remains of a segment before the first readable one, so what is missing there was lost, not released.</param>
internal sealed class LossLedger(ulong floor, bool isHeadHarmed)
{
    private readonly List<Damage> _damages = [];
    private int _settled;
    private bool _isHeadKnown = isHeadHarmed;

    public IReadOnlyList<Damage> Damages => _damages;

    /// <summary>The id that should come next.</summary>
    public ulong ExpectedId { get; private set; } = floor;

    public ulong Records { get; private set; }

    public ulong LostRecords { get; private set; }

    public ulong MissingAtHead { get; private set; }

    /// <summary>A segment begins that holds this id and later ones, or held them once.</summary>
    public void BeginSegment(ulong firstId) => _isHeadKnown |= firstId <= ExpectedId;

    public void AddDamage(DamageKind kind, ulong segment, long offset, long bytes) =>
        _damages.Add(new Damage(kind, segment, offset, bytes, 0, 0));

    /// <summary>A record was read; false when it is below the floor or was there before.</summary>
    public bool AddRecord(ulong segment, ulong id)
    {
        if (id < ExpectedId) return false;
        Reach(segment, id);
        ExpectedId = id + 1;
        Records++;
        return true;
    }

    /// <summary>All records before this id are known to have existed.</summary>
    public void Reach(ulong segment, ulong id)
    {
        if (id > ExpectedId) Lose(segment, id - ExpectedId);
        ExpectedId = Math.Max(ExpectedId, id);
        _settled = _damages.Count;
    }

    public bool HasUnreadable(ulong segment, long fromOffset) =>
        _damages.Exists(damage => damage.Kind == DamageKind.Unreadable && damage.Segment == segment && damage.Offset >= fromOffset);

    /// <summary>Takes back what was found broken in an unfinished end: it cost nothing that is known to have existed.</summary>
    public void ForgetUnsettled(ulong segment, long fromOffset) =>
        _damages.RemoveAll(damage => damage.Segment == segment && damage.Offset >= fromOffset && damage.LostRecords == 0);

    private void Lose(ulong segment, ulong count)
    {
        bool isUnexplained = _settled == _damages.Count;
        if (isUnexplained && !_isHeadKnown)
        {
            MissingAtHead = count;
            _isHeadKnown = true;
            return;
        }

        if (isUnexplained) AddDamage(DamageKind.MissingRecords, segment, 0, 0);
        _damages[^1] = _damages[^1] with { FirstLostId = ExpectedId, LostRecords = count };
        LostRecords += count;
    }
}
