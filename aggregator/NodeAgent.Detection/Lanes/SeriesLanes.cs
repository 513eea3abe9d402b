namespace NodeAgent.Detection.Lanes;

/// <summary>What the lanes say about one sample.</summary>
/// <param name="Novelty">How new, 0 for nothing worth saying now.</param>
/// <param name="Residual">How far off its forecast.</param>
/// <param name="OnceIn">A residual like this, in how many samples of this series.</param>
public readonly record struct LaneVerdict(float Novelty, Residual Residual, float OnceIn);

/// <summary>
/// The lanes every series has, always: seasons, novelty, residual and its calibration. One call a sample, no allocation, 1 KiB a series in
/// columns (<see cref="BytesPerSeries"/>). Samples of a series come in time order; a sample that is not a finite number is refused and counted.
/// </summary>
public sealed class SeriesLanes
{
    private readonly SeasonColumns _seasons;
    private readonly NoveltyLane _novelty;
    private readonly ResidualLane _residual;
    private readonly TailColumns _tails;
    private readonly float[] _references;

    /// <param name="capacity">How many series.</param>
    /// <param name="novelty">Null: the defaults.</param>
    /// <param name="residual">Null: the defaults.</param>
    public SeriesLanes(int capacity, NoveltyOptions? novelty = null, ResidualOptions? residual = null)
    {
        novelty ??= new NoveltyOptions();
        residual ??= new ResidualOptions();
        _seasons = new SeasonColumns(capacity, novelty.DailyRate, novelty.WeeklyRate, residual.DailyRate);
        _novelty = new NoveltyLane(capacity, novelty);
        _residual = new ResidualLane(capacity, residual);
        _tails = new TailColumns(capacity);
        _references = new float[capacity];
        Array.Fill(_references, float.NaN);
        Capacity = capacity;
    }

    /// <summary>Bytes a series takes in all columns together.</summary>
    public static int BytesPerSeries =>
        SeasonColumns.BytesPerSeries + NoveltyLane.BytesPerSeries + ResidualLane.BytesPerSeries + TailColumns.BytesPerSeries + sizeof(float);

    /// <summary>How many series there is room for.</summary>
    public int Capacity { get; }

    /// <summary>Samples refused because they were not finite.</summary>
    public long Refused { get; private set; }

    /// <summary>Judges a sample, then learns from it.</summary>
    public LaneVerdict Update(int series, double value, long unixMs) => Update(series, value, unixMs, out _);

    /// <summary>Judges a sample, then learns from it.</summary>
    /// <param name="series">Its row, 0 to <see cref="Capacity"/> - 1.</param>
    /// <param name="value">As sampled.</param>
    /// <param name="unixMs">When; never before the series' last sample.</param>
    /// <param name="evidence">What was new, in the value's own unit for a level and relative to the season for a season; meaningful where the novelty is above 0.</param>
    public LaneVerdict Update(int series, double value, long unixMs, out NoveltyEvidence evidence)
    {
        if (!double.IsFinite(value))
        {
            Refused++;
            evidence = default;
            return default;
        }

        ref float reference = ref _references[series];
        if (float.IsNaN(reference))
        {
            reference = (float)Math.Clamp(value, float.MinValue, float.MaxValue);
        }

        float relative = (float)(value - reference);
        (float daily, float weekly, float usual) = _seasons.Update(series, relative, unixMs);
        float novelty = _novelty.Update(series, relative, (float)Math.Abs(value), unixMs, daily, weekly, out evidence);
        if (novelty > 0 && evidence.Stream == NoveltyStream.Level)
        {
            evidence = evidence with { Low = evidence.Low + reference, High = evidence.High + reference, Seen = evidence.Seen + reference };
        }

        Residual residual = _residual.Update(series, relative, usual);
        float onceIn = residual.Scale > 0 ? _tails.OnceIn(series, residual.Score, residual.Seen) : 1;
        return new LaneVerdict(novelty, residual with { Expected = residual.Expected + reference }, onceIn);
    }

    /// <summary>This series is next: its state is on its way to the cache while another one's sample is judged.</summary>
    public void Expect(int series, long unixMs)
    {
        _novelty.Expect(series);
        _seasons.Expect(series, unixMs);
        _residual.Expect(series);
        _tails.Expect(series);
        CacheHint.Fetch(_references, series, 1);
    }

    /// <summary>Forgets a series: its row serves another, or its meaning changed (a job started, a disk was replaced).</summary>
    public void Clear(int series)
    {
        _seasons.Clear(series);
        _novelty.Clear(series);
        _residual.Clear(series);
        _tails.Clear(series);
        _references[series] = float.NaN;
    }
}
