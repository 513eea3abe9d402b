using System.Text.Json;
using NodeAgent.Detection.Forecast;
using NodeAgent.Placement.Values;

namespace NodeAgent.Benchmarks.Detection;

/// <summary>
/// Time to full of synthetic disks over 14 days (saw-tooth, leak, clean-up, jumps), and forecasts twelve hours ahead beside naive and seasonal-naive.
/// </summary>
internal static class ForecastBench
{
    private const int Days = 14;
    private const int StepMinutes = 10;
    private const int Steps = Days * 24 * 60 / StepMinutes;
    private const long Start = 1_780_000_000_000;
    private const double WarnBelowMs = 24 * 3_600_000.0;

    internal static int Run(string[] arguments)
    {
        int disks = Arguments.Number(arguments, "--disks", 240);
        int fills = 0, warned = 0, falseWarnings = 0, linearFalse = 0, inBounds = 0, forecasts = 0;
        double ours = 0, naive = 0, seasonal = 0;
        var leads = new List<double>();
        for (int disk = 0; disk < disks; disk++)
        {
            double[] values = Disk(disk);
            int full = Array.FindIndex(values, value => value >= 1);
            var forecaster = new GrowthForecaster();
            int since = -1, quiet = 0, until = full < 0 ? values.Length : full;
            bool linearSaid = false;
            for (int at = 0; at < until; at++)
            {
                forecaster.Add(values[at], Start + (at * StepMinutes * 60_000L));
                if (at % 6 == 5 && forecaster.Cross(1) is { } crossing && crossing.InMs < WarnBelowMs)
                {
                    bool truth = full >= 0 && full - at <= 3 * 24 * 60 / StepMinutes;
                    falseWarnings += since < 0 && !truth ? 1 : 0;
                    since = since < 0 ? at : since;
                    quiet = 0;
                }
                else if (at % 6 == 5)
                {
                    // Two quiet hours take a warning back, one does not.
                    quiet++;
                    since = quiet >= 2 ? -1 : since;
                }

                linearSaid = LinearSays(values, at, full, linearSaid, ref linearFalse);
                if (at % 72 == 40 && at > 4 * 144 && at + 72 < until && forecaster.After(TimeSpan.FromHours(12)) is { } ahead)
                {
                    double truth = Mean(values, at + 72);
                    (ours, naive, seasonal) = (ours + Math.Abs(ahead.Value - truth), naive + Math.Abs(values[at] - truth), seasonal + Math.Abs(Mean(values, at - 72) - truth));
                    inBounds += truth >= ahead.Low && truth <= ahead.High ? 1 : 0;
                    forecasts++;
                }
            }

            if (full > 3 * 144)
            {
                fills++;
                bool inTime = since >= 0 && (full - since) * StepMinutes >= 120;
                warned += inTime ? 1 : 0;
                leads.Add(inTime ? (full - since) * StepMinutes / 60.0 : 0);
            }
        }

        double weeks = disks * Days / 7.0;
        Console.WriteLine($"{disks} disks, {Days} days: {fills} fill up, {warned} warned at least 2 h ahead (recall {(double)warned / Math.Max(fills, 1):F3}), median lead {Arguments.Median(leads):F1} h");
        Console.WriteLine($"false warnings per series and week: ours {falseWarnings / weeks:F3}, straight line through 6 h {linearFalse / weeks:F3}");
        Console.WriteLine($"twelve hours ahead, mean absolute error: ours {ours / forecasts:F4}, naive {naive / forecasts:F4}, seasonal-naive {seasonal / forecasts:F4}; in the 90 % bounds {(double)inBounds / forecasts:P0} of {forecasts}");
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            bench = "detection forecast", disks, fills, recall = Math.Round((double)warned / Math.Max(fills, 1), 4), false_per_series_week = Math.Round(falseWarnings / weeks, 4),
            linear_false_per_series_week = Math.Round(linearFalse / weeks, 4), median_lead_hours = Math.Round(Arguments.Median(leads), 1), error = Math.Round(ours / forecasts, 5), error_naive = Math.Round(naive / forecasts, 5),
            error_seasonal_naive = Math.Round(seasonal / forecasts, 5), in_bounds = Math.Round((double)inBounds / forecasts, 3),
        }));
        return 0;
    }

    private static double Mean(double[] values, int at) => values.AsSpan(Math.Max(at - 3, 0), Math.Min(6, values.Length - Math.Max(at - 3, 0))).ToArray().Average();

    // predict_linear's shape: least squares over the last six hours.
    private static bool LinearSays(double[] values, int at, int full, bool said, ref int wrong)
    {
        const int Window = 36;
        if (at < Window || at % 6 != 5)
        {
            return said;
        }

        double mean = 0, slope = 0;
        for (int back = 0; back < Window; back++)
        {
            mean += values[at - back] / Window;
            slope += values[at - back] * (((Window - 1) / 2.0) - back);
        }

        slope /= Window * ((Window * Window) - 1) / 12.0;
        bool says = slope > 0 && (1 - values[at]) / slope * StepMinutes < 24 * 60;
        wrong += says && !said && !(full >= 0 && full - at <= 3 * 144) ? 1 : 0;
        return says;
    }

    private static double[] Disk(int disk)
    {
        var random = new SplitMix((ulong)(disk + 1));
        double level = 0.3 + (0.3 * random.NextDouble());
        double growth = disk % 3 == 0 ? (0.9 - level) / (4 + (9 * random.NextDouble())) / 144 : 0.01 * random.NextDouble() / 144;
        double wave = 0.02 + (0.08 * random.NextDouble());
        bool sawTooth = disk % 4 == 1, cleaned = disk % 5 == 2;
        double[] values = new double[Steps];
        for (int at = 0; at < Steps; at++)
        {
            level += growth * (0.5 + random.NextDouble());
            level += random.Next(1500) == 0 ? 0.05 * random.NextDouble() : 0;
            level -= cleaned && random.Next(700) == 0 ? 0.3 * Math.Max(level - 0.3, 0) : 0;
            double season = sawTooth ? wave * (at % 144 / 144.0) : wave * 0.5 * (1 + Math.Sin(at * 2 * Math.PI / 144));
            values[at] = Math.Clamp(level + season + (0.003 * (random.NextDouble() - 0.5)), 0, 1);
        }

        return values;
    }
}
