using System.Runtime.CompilerServices;

namespace NodeAgent.Detection.Lanes;

/// <summary>
/// What a series usually is at this time of day and at this time of the week, for many series, in 272 bytes each. The day is kept twice: in
/// half hours as it was lately (for novelty: what differs from yesterday is news), and in hours as it usually is (for forecasts: one odd day
/// must not be tomorrow's expectation).
/// A bin takes the mean of the visit that just ended, once: at 1 Hz a change per sample would be too small for 16 bits to hold, and the
/// sample at hand would already be in what it is compared with. Values are kept as differences from the series' first value, so that 8 bits
/// of mantissa (the upper half of a float) are 8 bits of its variation, not of its size.
/// </summary>
public sealed class SeasonColumns
{
    /// <summary>Half hours of a day.</summary>
    public const int DailyBins = 48;

    /// <summary>Three hours of a week.</summary>
    public const int WeeklyBins = 56;

    /// <summary>Hours of a usual day.</summary>
    public const int UsualBins = 24;

    private const long DayMs = 86_400_000;
    private const long WeekMs = 7 * DayMs;
    private const long MondayMs = 4 * DayMs; // 1970-01-05 was a Monday; only the phase matters, and that it is the same for everybody
    private const ushort Empty = 0x7FC0; // NaN

    private readonly ushort[] _daily;
    private readonly ushort[] _weekly;
    private readonly ushort[] _usual;
    private readonly Visit[] _visits;
    private readonly float _dailyRate;
    private readonly float _weeklyRate;
    private readonly float _usualRate;

    /// <param name="capacity">How many series.</param>
    /// <param name="dailyRate">How much of a bin the newest day replaces, 0 to 1.</param>
    /// <param name="weeklyRate">How much of a bin the newest week replaces, 0 to 1.</param>
    /// <param name="usualRate">How much of an hour of the usual day the newest one replaces, 0 to 1.</param>
    public SeasonColumns(int capacity, float dailyRate, float weeklyRate, float usualRate)
    {
        (_dailyRate, _weeklyRate, _usualRate) = (dailyRate, weeklyRate, usualRate);
        _usual = new ushort[capacity * UsualBins];
        Array.Fill(_usual, Empty);
        _daily = new ushort[capacity * DailyBins];
        _weekly = new ushort[capacity * WeeklyBins];
        _visits = new Visit[capacity];
        Array.Fill(_daily, Empty);
        Array.Fill(_weekly, Empty);
    }

    /// <summary>Bytes a series takes.</summary>
    public static int BytesPerSeries => ((DailyBins + WeeklyBins + UsualBins) * sizeof(ushort)) + Unsafe.SizeOf<Visit>();

    /// <summary>What to expect, NaN where no earlier day or week says; then takes the value in.</summary>
    /// <param name="series">Its row.</param>
    /// <param name="value">Difference from the series' first value.</param>
    /// <param name="unixMs">When; never before the last one.</param>
    public (float Daily, float Weekly, float Usual) Update(int series, float value, long unixMs)
    {
        long inDay = unixMs % DayMs;
        int day = (int)(inDay * DailyBins / DayMs);
        int week = (int)((unixMs + (WeekMs - MondayMs)) % WeekMs * WeeklyBins / WeekMs);
        Span<ushort> daily = _daily.AsSpan(series * DailyBins, DailyBins);
        Span<ushort> weekly = _weekly.AsSpan(series * WeeklyBins, WeeklyBins);
        Span<ushort> usual = _usual.AsSpan(series * UsualBins, UsualBins);
        ref Visit visit = ref _visits[series];
        if (visit.DailyCount > 0 && visit.DailyBin != day)
        {
            float mean = visit.DailySum / visit.DailyCount;
            Commit(ref daily[visit.DailyBin], mean, _dailyRate);
            LearnHour(usual, daily, visit.DailyBin, day, mean);
            (visit.DailySum, visit.DailyCount) = (0, 0);
        }

        if (visit.WeeklyCount > 0 && visit.WeeklyBin != week)
        {
            Commit(ref weekly[visit.WeeklyBin], visit.WeeklySum / visit.WeeklyCount, _weeklyRate);
            (visit.WeeklySum, visit.WeeklyCount) = (0, 0);
        }

        visit.DailyBin = (byte)day;
        visit.WeeklyBin = (byte)week;
        visit.DailySum += value;
        visit.DailyCount++;
        visit.WeeklySum += value;
        visit.WeeklyCount++;
        return (Between(daily, day, inDay), Widen(weekly[week]), Between(usual, day * UsualBins / DailyBins, inDay));
    }

    internal void Expect(int series, long unixMs)
    {
        int day = (int)(unixMs % DayMs * DailyBins / DayMs);
        int week = (int)((unixMs + (WeekMs - MondayMs)) % WeekMs * WeeklyBins / WeekMs);
        CacheHint.Fetch(_visits, series, 1);
        CacheHint.Fetch(_daily, (series * DailyBins) + day, 1);
        CacheHint.Fetch(_weekly, (series * WeeklyBins) + week, 1);
        CacheHint.Fetch(_usual, (series * UsualBins) + (day / 2), 1);
    }

    /// <summary>What the series would be at a time by its days so far; NaN where nothing says. Changes nothing.</summary>
    public float DailyAt(int series, long unixMs)
    {
        long inDay = unixMs % DayMs;
        return Between(_daily.AsSpan(series * DailyBins, DailyBins), (int)(inDay * DailyBins / DayMs), inDay);
    }

    /// <summary>Forgets a series, so that its row can serve another.</summary>
    public void Clear(int series)
    {
        _daily.AsSpan(series * DailyBins, DailyBins).Fill(Empty);
        _weekly.AsSpan(series * WeeklyBins, WeeklyBins).Fill(Empty);
        _usual.AsSpan(series * UsualBins, UsualBins).Fill(Empty);
        _visits[series] = default;
    }

    // An hour is learned when it is over, never while it lasts: what it says of its own second half would be an echo of the first. The first
    // half's mean stands in its half hour already, with what was there before mixed in; a field of its own would cost four bytes a series.
    private void LearnHour(Span<ushort> usual, ReadOnlySpan<ushort> daily, int left, int now, float mean)
    {
        int hour = left / 2;
        if (now / 2 == hour)
        {
            return;
        }

        float first = left % 2 == 1 ? Widen(daily[left - 1]) : float.NaN;
        Commit(ref usual[hour], float.IsNaN(first) ? mean : (first + mean) / 2, _usualRate);
    }

    // A straight line between the middles of two bins, or the profile would step every half hour.
    private static float Between(ReadOnlySpan<ushort> daily, int bin, long inDay)
    {
        int bins = daily.Length;
        float here = Widen(daily[bin]);
        float place = ((inDay - (bin * (DayMs / bins))) / (DayMs / (float)bins)) - 0.5f;
        int neighbour = place < 0 ? (bin == 0 ? bins - 1 : bin - 1) : (bin == bins - 1 ? 0 : bin + 1);
        float there = Widen(daily[neighbour]);
        return float.IsNaN(there) ? here : here + ((there - here) * Math.Abs(place));
    }

    private static void Commit(ref ushort bin, float mean, float rate)
    {
        float old = Widen(bin);
        float value = float.IsNaN(old) ? mean : old + ((mean - old) * rate);
        uint bits = BitConverter.SingleToUInt32Bits(value);
        bin = (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16); // to nearest, ties to even
    }

    private static float Widen(ushort bin) => BitConverter.UInt32BitsToSingle((uint)bin << 16);

    private struct Visit
    {
        public float DailySum;
        public float WeeklySum;
        public int DailyCount;
        public int WeeklyCount;
        public byte DailyBin;
        public byte WeeklyBin;
    }
}
