using NodeAgent.Detection.Lanes;
using NodeAgent.Detection.Shapes;

namespace NodeAgent.Detection.Watch;

/// <summary>What is to be watched of a series beyond the lanes that all have.</summary>
[Flags]
public enum SeriesTraits
{
    /// <summary>Lanes only.</summary>
    None = 0,

    /// <summary>A sensor that always moves a little: standing still is a finding.</summary>
    Moves = 1,

    /// <summary>Something that comes back down when all is well: growing on and on is a finding.</summary>
    Returns = 2,
}

/// <summary>
/// Lanes and shapes over registered series, as findings with a beginning and an end. Findings of the lanes are unsure by design: one odd
/// series is chance somewhere in a fleet all the time; incidents are made when several of a node agree, or when something surer needs company.
/// </summary>
public sealed class SeriesWatch
{
    private const int InARow = 3;
    private const int QuietSamples = 60;
    private const float SettledScales = 4;
    private const float UnsureResidual = 0.5f;
    private const float UnsureNovelty = 0.4f;
    private const float Sure = 0.95f;

    private readonly WatchOptions _options;
    private readonly SeriesLanes _lanes;
    private readonly ShapeLane _shapes;
    private readonly List<Subject> _subjects = [];
    private readonly List<int> _shapeRows = [];
    private readonly List<SeriesTraits> _traits = [];
    private readonly Alarm[] _alarms;
    private readonly Dictionary<(int, FindingKind), long> _shapesSaid = [];
    private readonly float _rare;
    private int _shaped;

    /// <param name="capacity">Most series.</param>
    /// <param name="shapedCapacity">Most series with traits.</param>
    /// <param name="options">Null: the defaults.</param>
    public SeriesWatch(int capacity, int shapedCapacity, WatchOptions? options = null)
    {
        _options = options ?? new WatchOptions();
        _lanes = new SeriesLanes(capacity);
        _shapes = new ShapeLane(shapedCapacity);
        _alarms = new Alarm[capacity];
        _rare = (float)Math.Min(TimeSpan.FromDays(1) / _options.Step / _options.AlarmsPerSeriesDay, 1e11);
    }

    /// <summary>Registers a series; the result names it in <see cref="Sample"/>.</summary>
    public int Add(Subject subject, SeriesTraits traits = SeriesTraits.None)
    {
        _subjects.Add(subject);
        _traits.Add(traits);
        _shapeRows.Add(traits == SeriesTraits.None ? -1 : _shaped++);
        return _subjects.Count - 1;
    }

    /// <summary>Judges a sample; what begins or ends to hold is added to the findings.</summary>
    public void Sample(int series, double value, long unixMs, ICollection<Finding> findings)
    {
        LaneVerdict verdict = _lanes.Update(series, value, unixMs, out NoveltyEvidence evidence);
        Residual(series, value, verdict, unixMs, findings);
        if (verdict.Novelty >= _options.NoveltyThreshold)
        {
            string text = $"{evidence.Stream switch { NoveltyStream.Level => "mean", NoveltyStream.Daily => "distance from the time of day", NoveltyStream.Weekly => "distance from the time of the week", NoveltyStream.Step => "surprise of the step", _ => "rarity at this hour" }} of {evidence.Span:F0} samples is {evidence.Seen:G4}, never outside {evidence.Low:G4} to {evidence.High:G4} before";
            double bound = evidence.Seen > evidence.High ? evidence.High : evidence.Low;
            findings.Add(new Finding(unixMs, unixMs, FindingKind.Novelty, "novelty", _subjects[series], bound, evidence.Seen, UnsureNovelty, text));
        }

        if (_shapeRows[series] >= 0)
        {
            Shape(series, (float)value, unixMs, findings);
        }
    }

    private void Residual(int series, double value, LaneVerdict verdict, long unixMs, ICollection<Finding> findings)
    {
        ref Alarm alarm = ref _alarms[series];
        if (verdict.OnceIn >= _rare)
        {
            alarm.InARow = (byte)Math.Min(alarm.InARow + 1, byte.MaxValue);
            alarm.Quiet = 0;
            if (alarm.InARow == InARow && !alarm.Said)
            {
                alarm.Said = true;
                Lanes.Residual residual = verdict.Residual;
                findings.Add(new Finding(
                    unixMs, unixMs - (long)((InARow - 1) * _options.Step.TotalMilliseconds), FindingKind.Residual, "residual", _subjects[series], residual.Expected, value, UnsureResidual,
                    $"{value:G4} where {residual.Expected:G4} ± {residual.Scale:G2} was expected{(residual.Seasonal ? " at this time of day" : "")}; once in {verdict.OnceIn:G2} samples"));
            }

            return;
        }

        // Over is what looks normal in scales, not what has become less rare: a fault that lasts teaches its tail, and would end its own alarm.
        alarm.InARow = 0;
        alarm.Quiet = verdict.Residual.Score < SettledScales ? (byte)(alarm.Quiet + 1) : (byte)0;
        if (!alarm.Said)
        {
            alarm.Quiet = 0;
        }
        else if (alarm.Quiet >= QuietSamples)
        {
            alarm.Said = false;
            findings.Add(new Finding(unixMs, unixMs, FindingKind.Residual, "residual", _subjects[series], verdict.Residual.Expected, value, UnsureResidual, "as expected again", Clears: true));
        }
    }

    private void Shape(int series, float value, long unixMs, ICollection<Finding> findings)
    {
        ShapeVerdict shape = _shapes.Update(_shapeRows[series], value);
        if ((_traits[series] & SeriesTraits.Moves) != 0)
        {
            Say(series, FindingKind.FlatLine, "flat-line", shape.FlatLine, value, unixMs, "has not moved, and always did", findings);
        }

        if ((_traits[series] & SeriesTraits.Returns) != 0)
        {
            Say(series, FindingKind.Leak, "leak", shape.Leak, value, unixMs, "grows and does not come back", findings);
        }
    }

    private void Say(int series, FindingKind kind, string cause, float surprise, float value, long unixMs, string text, ICollection<Finding> findings)
    {
        bool said = _shapesSaid.TryGetValue((series, kind), out long since);
        if (surprise >= _options.ShapeSurprise && !said)
        {
            _shapesSaid.Add((series, kind), unixMs);
            findings.Add(new Finding(unixMs, unixMs, kind, cause, _subjects[series], double.NaN, value, Sure, text));
        }
        else if (said && surprise < 1)
        {
            _shapesSaid.Remove((series, kind));
            findings.Add(new Finding(unixMs, since, kind, cause, _subjects[series], double.NaN, value, Sure, "over", Clears: true));
        }
    }

    private struct Alarm
    {
        public byte InARow;
        public byte Quiet;
        public bool Said;
    }
}
