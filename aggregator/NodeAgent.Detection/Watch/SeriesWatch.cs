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
    private readonly Stack<int> _freeRows = [];
    private readonly Stack<int> _freeShapes = [];
    private readonly int _shapedCapacity;
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
        _shapedCapacity = shapedCapacity;
    }

    /// <summary>How many series there is room for.</summary>
    public int Capacity => _alarms.Length;

    /// <summary>How many are watched.</summary>
    public int Count => _subjects.Count - _freeRows.Count;

    /// <summary>Registers a series; the result names it in <see cref="Sample"/>.</summary>
    /// <param name="subject">What it is.</param>
    /// <param name="traits">What else to watch; left out where the room for shapes is used up.</param>
    /// <param name="step">Time between its samples; null: the options'.</param>
    /// <exception cref="InvalidOperationException">There is no room: the caller counts.</exception>
    public int Add(Subject subject, SeriesTraits traits = SeriesTraits.None, TimeSpan? step = null)
    {
        if (Count == Capacity)
        {
            throw new InvalidOperationException($"BUG: all {Capacity} rows are in use");
        }

        int shape = traits == SeriesTraits.None ? -1 : _freeShapes.TryPop(out int free) ? free : _shaped < _shapedCapacity ? _shaped++ : -1;
        if (!_freeRows.TryPop(out int row))
        {
            row = _subjects.Count;
            _subjects.Add(subject);
            _traits.Add(traits);
            _shapeRows.Add(shape);
        }

        (_subjects[row], _traits[row], _shapeRows[row]) = (subject, traits, shape);
        TimeSpan every = step ?? _options.Step;
        _alarms[row] = new Alarm { StepMs = (float)every.TotalMilliseconds, Rare = (float)Math.Min(TimeSpan.FromDays(1) / every / _options.AlarmsPerSeriesDay, 1e11) };
        return row;
    }

    /// <summary>Forgets a series; its row serves another. What it had said and not taken back is over.</summary>
    public void Remove(int series, long unixMs, ICollection<Finding> findings)
    {
        foreach (FindingKind kind in new[] { FindingKind.FlatLine, FindingKind.Leak })
        {
            if (_shapesSaid.Remove((series, kind), out long since))
            {
                findings.Add(new Finding(unixMs, since, kind, kind == FindingKind.Leak ? "leak" : "flat-line", _subjects[series], double.NaN, double.NaN, Sure, "the series ended", Clears: true));
            }
        }

        if (_shapeRows[series] >= 0)
        {
            _shapes.Clear(_shapeRows[series]);
            _freeShapes.Push(_shapeRows[series]);
        }

        _lanes.Clear(series);
        (_subjects[series], _traits[series], _shapeRows[series], _alarms[series]) = (default, SeriesTraits.None, -1, default);
        _freeRows.Push(series);
    }

    /// <summary>How much stricter than by default a detector is, by its name; null: 1 for all.</summary>
    public Func<string, double>? Strictness { get; init; }

    /// <summary>As <see cref="SeriesLanes.Expect"/>.</summary>
    public void Expect(int series, long unixMs) => _lanes.Expect(series, unixMs);

    /// <summary>Judges a sample; what begins or ends to hold is added to the findings.</summary>
    public void Sample(int series, double value, long unixMs, ICollection<Finding> findings)
    {
        LaneVerdict verdict = _lanes.Update(series, value, unixMs, out NoveltyEvidence evidence);
        Residual(series, value, verdict, unixMs, findings);
        if (verdict.Novelty >= _options.NoveltyThreshold && verdict.Novelty >= _options.NoveltyThreshold * StrictnessOf("novelty") && verdict.Residual.Seen > _options.LearnFor)
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
        if (verdict.OnceIn >= alarm.Rare && verdict.Residual.Seen > _options.LearnFor && verdict.OnceIn >= alarm.Rare * Power(StrictnessOf("residual")))
        {
            alarm.InARow = (byte)Math.Min(alarm.InARow + 1, byte.MaxValue);
            alarm.Quiet = 0;
            if (alarm.InARow == InARow && !alarm.Said)
            {
                alarm.Said = true;
                Lanes.Residual residual = verdict.Residual;
                findings.Add(new Finding(
                    unixMs, unixMs - (long)((InARow - 1) * alarm.StepMs), FindingKind.Residual, "residual", _subjects[series], residual.Expected, value, UnsureResidual,
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
        if (!said && surprise >= _options.ShapeSurprise && surprise >= _options.ShapeSurprise * StrictnessOf(cause))
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

    private float StrictnessOf(string cause) => (float)(Strictness?.Invoke(cause) ?? 1);

    // A residual's rarity is a tail: three times as strict is ten times as rare.
    private static float Power(float strictness) => strictness * strictness;

    private struct Alarm
    {
        public float Rare;
        public float StepMs;
        public byte InARow;
        public byte Quiet;
        public bool Said;
    }
}
