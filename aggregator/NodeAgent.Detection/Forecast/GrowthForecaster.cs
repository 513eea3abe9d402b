namespace NodeAgent.Detection.Forecast;

/// <summary>When a line is crossed.</summary>
/// <param name="InMs">The most likely time left; 0: already beyond.</param>
/// <param name="FromMs">With 5 % it happens sooner.</param>
/// <param name="ToMs">With 5 % it takes longer; <see cref="double.PositiveInfinity"/>: perhaps never.</param>
/// <param name="PerDay">Growth a day.</param>
public readonly record struct Crossing(double InMs, double FromMs, double ToMs, double PerDay);

/// <summary>A value in the future, with the bounds that hold it nine times of ten.</summary>
public readonly record struct Forecasted(double Low, double Value, double High);

/// <summary>
/// Level, trend and season of one series from robust daily differences: today against yesterday at the same hour. Whatever repeats daily
/// cancels without a model of it; a clean-up is one outlier among the differences and not a change of trend. State: a ring of hourly means
/// of eight days, 1.6 KB; for disks, temperatures, memory and error counts, not for every series.
/// </summary>
public sealed class GrowthForecaster
{
    private const long HourMs = 3_600_000;
    private const int Day = 24;
    private const int Kept = 8 * Day;
    private const int Least = 4; // same-hour pairs before anything is said
    private const double FivePercent = 1.645;

    private readonly double[] _hours = new double[Kept];
    private long _hour = -1;
    private double _sum;
    private int _count;
    private int _filled;
    private double _last;

    /// <summary>Takes a sample in; times do not go back.</summary>
    public void Add(double value, long unixMs)
    {
        long hour = unixMs / HourMs;
        if (_hour >= 0 && hour != _hour)
        {
            double mean = _sum / _count;
            for (long gap = _hour; gap < hour && gap < _hour + Kept; gap++)
            {
                // An hour without samples is not a number; it must not pair up with its neighbour's.
                _hours[(int)(gap % Kept)] = gap == _hour ? mean : double.NaN;
                _filled = Math.Min(_filled + 1, Kept);
            }

            (_sum, _count) = (0, 0);
        }

        _hour = hour;
        _sum += value;
        _count++;
        _last = value;
    }

    /// <summary>When the series crosses a limit it grows towards; null: it does not, or it is not known well enough to say.</summary>
    /// <param name="limit">The line.</param>
    /// <param name="sure">How many standard errors the slope must be away from none; 1.64 by default: one-sided 95 %.</param>
    public Crossing? Cross(double limit, double sure = 1.64)
    {
        if (Slope() is not { } slope || _last >= limit)
        {
            return _last >= limit && _filled > 0 ? new Crossing(0, 0, 0, 0) : null;
        }

        (double perDay, double error, double noise, _) = slope;
        if (perDay - (sure * error) <= 0)
        {
            return null;
        }

        double left = limit - Level(noise, perDay);
        double days = Math.Max(left / perDay, 0);
        double soon = Math.Max((left - (FivePercent * noise)) / (perDay + (FivePercent * error)), 0);
        double slow = perDay - (FivePercent * error);
        double late = slow > 0 ? (left + (FivePercent * noise)) / slow : double.PositiveInfinity;
        return new Crossing(days * Day * HourMs, soon * Day * HourMs, late * Day * HourMs, perDay);
    }

    /// <summary>Growth a day; null: not known well enough to say.</summary>
    public double? PerDay => Slope()?.PerDay;

    /// <summary>The value after a while, with bounds; null: less than a day and some hours are known.</summary>
    public Forecasted? After(TimeSpan ahead)
    {
        if (Slope() is not { } slope)
        {
            return null;
        }

        double days = ahead.TotalDays;
        long hour = _hour + (long)Math.Round(ahead.TotalHours);
        double change = Change(hour);
        double value = _last + (double.IsNaN(change) ? slope.PerDay * days : change);
        double width = Math.Max(FivePercent * Math.Sqrt((slope.Noise * slope.Noise) + (slope.Error * days * slope.Error * days)), slope.Spread * Math.Sqrt(Math.Max(days, 1)));
        return new Forecasted(value - width, value, value + width);
    }

    // How the series went from this hour to that hour on the last days; added to where it is now, so that a clean-up or a jump counts at once.
    private double Change(long hour)
    {
        Span<double> candidates = stackalloc double[7];
        int count = 0;
        for (int back = 1; back <= candidates.Length; back++)
        {
            double then = Hour(hour - (back * Day));
            double now = Hour(_hour - (back * Day));
            if (!double.IsNaN(then) && !double.IsNaN(now))
            {
                candidates[count++] = then - now;
            }
        }

        return count == 0 ? double.NaN : Median(candidates[..count]);
    }

    private double Hour(long hour) => hour >= _hour || hour < _hour - _filled ? double.NaN : _hours[(int)(hour % Kept)];

    // Where the series is without its hour's noise: this instant, unless it is far off what the last hours say.
    private double Level(double noise, double perDay)
    {
        double before = _hour > 0 ? _hours[(int)((_hour - 1) % Kept)] : _last;
        double carried = before + (perDay / Day);
        return double.IsNaN(before) || Math.Abs(_last - carried) > 3 * noise ? _last : Math.Max(_last, carried);
    }

    // Median of same-hour daily differences, with an error from their spread; jumps and clean-ups are outliers among them.
    private (double PerDay, double Error, double Noise, double Spread)? Slope()
    {
        Span<double> differences = stackalloc double[Kept];
        int count = 0;
        for (int back = 1; back + Day <= _filled; back++)
        {
            long hour = _hour - back;
            double difference = _hours[(int)(hour % Kept)] - _hours[(int)((hour - Day) % Kept)];
            if (!double.IsNaN(difference))
            {
                differences[count++] = difference;
            }
        }

        if (count < Least)
        {
            return null;
        }

        Span<double> recent = differences[..Math.Min(count, 4 * Day)];
        double median = Median(recent);
        for (int at = 0; at < recent.Length; at++)
        {
            recent[at] = Math.Abs(recent[at] - median);
        }

        double deviation = 1.4826 * Median(recent);
        double spread = recent[(int)(0.9 * (recent.Length - 1))]; // sorted by the median just taken; what nine of ten days' differences stayed within

        // Neighbouring differences share most of their hours' noise: a sixth of them count as independent.
        return (median, deviation / Math.Sqrt(Math.Max(recent.Length / 6.0, 1)), deviation / Math.Sqrt(2), spread);
    }

    private static double Median(Span<double> values)
    {
        values.Sort();
        return values.Length % 2 == 1 ? values[values.Length / 2] : (values[values.Length / 2] + values[(values.Length / 2) - 1]) / 2;
    }
}
