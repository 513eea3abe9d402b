using System.Runtime.CompilerServices;

namespace NodeAgent.Detection.Shapes;

/// <summary>What a series' shape says; each is 0 while nothing is wrong and grows with how unlikely chance is (minus log10 of its share).</summary>
/// <param name="FlatLine">It used to move and has not for this long.</param>
/// <param name="Variance">It moves this much more, or less, than it did.</param>
/// <param name="Leak">It only grows.</param>
/// <param name="Shift">Its values are spread over other places than before.</param>
public readonly record struct ShapeVerdict(float FlatLine, float Variance, float Leak, float Shift);

/// <summary>
/// Flat lines, changed variance, leaks and changed distributions, for the series that somebody chose for it: 136 bytes each, beside the
/// always-on kibibyte. Samples are taken at the lane's step; one a minute suits a leak, one a second a stuck sensor.
/// </summary>
public sealed class ShapeLane
{
    private const int Bins = 10;
    private const int Bucket = 32; // samples a mean is taken of before growth is judged, so that noise does not look like a fall
    private const int CycleBuckets = 30; // about a thousand samples: what repeats within them is known before growth is judged
    private const float MovesShare = 0.2f; // a series that changes at less than this share of its samples may stand still without being stuck
    private const float Slow = 0.002f;
    private const float Fast = 0.05f;
    private const int WarmUp = 240;

    private readonly Row[] _rows;
    private readonly float[] _histograms;

    /// <param name="capacity">How many series.</param>
    public ShapeLane(int capacity) => (_rows, _histograms) = (new Row[capacity], new float[capacity * Bins * 2]);

    /// <summary>Bytes a series takes.</summary>
    public static int BytesPerSeries => Unsafe.SizeOf<Row>() + (2 * Bins * sizeof(float));

    /// <summary>Judges a sample, then learns from it.</summary>
    public ShapeVerdict Update(int series, float value)
    {
        ref Row row = ref _rows[series];
        if (row.Seen++ == 0)
        {
            row.Last = row.Level = value;
            return default;
        }

        float step = value - row.Last;
        float flat = FlatLine(ref row, step != 0);
        row.Last = value;
        float size = MathF.Abs(step);
        float early = MathF.Max(Slow, 1f / row.Seen);
        row.FastMove += (size - row.FastMove) * MathF.Max(Fast, 1f / row.Seen);
        float variance = Variance(ref row, early);
        row.SlowMove += (MathF.Min(size, (6 * row.SlowMove) + (row.Seen < WarmUp ? size : 0)) - row.SlowMove) * early;
        float off = value - row.Level;
        row.Spread += (MathF.Min(MathF.Abs(off), (6 * row.Spread) + (row.Seen < WarmUp ? MathF.Abs(off) : 0)) - row.Spread) * early;
        row.Level += off * early;
        return new ShapeVerdict(flat, row.Seen < WarmUp ? 0 : variance, Leak(ref row, value), Shift(series, ref row, off));
    }

    /// <summary>Forgets a series.</summary>
    public void Clear(int series)
    {
        _rows[series] = default;
        _histograms.AsSpan(series * Bins * 2, Bins * 2).Clear();
    }

    // A series that changes with probability p a sample stands still for r samples with probability (1-p)^r.
    private static float FlatLine(ref Row row, bool moved)
    {
        row.Still = moved ? 0 : row.Still + 1;
        float surprise = row.Seen > WarmUp && row.MoveShare >= MovesShare ? -row.Still * MathF.Log10(1 - MathF.Min(row.MoveShare, 0.95f)) : 0;
        if (surprise < 3)
        {
            // While it may be stuck it teaches nothing about how often it moves.
            row.MoveShare += ((moved ? 1 : 0) - row.MoveShare) * MathF.Max(Slow, 1f / row.Seen);
        }

        return surprise;
    }

    // The mean of the last twenty moves against all moves; the logarithm of their ratio, in its own usual size.
    private static float Variance(ref Row row, float early)
    {
        if (row.SlowMove <= 0)
        {
            return 0;
        }

        float ratio = MathF.Abs(MathF.Log((row.FastMove + (0.05f * row.SlowMove)) / row.SlowMove));
        float surprise = row.RatioSize > 0 ? Tail(ratio / (1.25f * row.RatioSize)) : 0;
        row.RatioSize += (MathF.Min(ratio, row.Seen < WarmUp ? ratio : 4 * row.RatioSize) - row.RatioSize) * early;
        return surprise;
    }

    // Bucket means that are records one after another: the n-th of exchangeable ones is a record with probability 1/n, so r in a row come by
    // chance once in n^r. A wave, however long its rise, returns to where it was and sets none; that is why the first cycle must be seen.
    private static float Leak(ref Row row, float value)
    {
        row.BucketSum += value;
        if (++row.BucketCount < Bucket)
        {
            return row.LeakSurprise;
        }

        float mean = row.BucketSum / Bucket;
        (row.BucketSum, row.BucketCount) = (0, 0);
        row.Buckets++;
        bool record = row.Buckets == 1 || mean > row.HighestBucket;
        row.HighestBucket = record ? mean : row.HighestBucket;
        row.LeakSurprise = row.Buckets <= CycleBuckets ? 0 : record ? row.LeakSurprise + MathF.Log10(row.Buckets) : row.LeakSurprise / 2;
        return row.LeakSurprise;
    }

    // Population stability index of the last twenty or so samples against the long run, over bins of the series' own spread.
    private float Shift(int series, ref Row row, float off)
    {
        Span<float> fast = _histograms.AsSpan(series * Bins * 2, Bins);
        Span<float> slow = _histograms.AsSpan((series * Bins * 2) + Bins, Bins);
        if (row.Seen < WarmUp || row.Spread <= 0)
        {
            return 0;
        }

        int bin = Math.Clamp((int)((off / row.Spread * 2) + (Bins / 2f)), 0, Bins - 1);
        float index = 0;
        for (int at = 0; at < Bins; at++)
        {
            float hit = at == bin ? 1 : 0;
            fast[at] += (hit - fast[at]) * Fast;
            slow[at] += (hit - slow[at]) * Slow;
            float left = fast[at] + 0.02f;
            float right = slow[at] + 0.02f;
            index += (left - right) * MathF.Log(left / right);
        }

        // Effective samples of the fast histogram times the index are chi-squared with Bins - 1 degrees (Yurdakul, 2018), taken as normal; samples in a row are alike, hence a quarter.
        const float Effective = 0.25f * (2 - Fast) / Fast;
        float z = ((index * Effective) - (Bins - 1)) / MathF.Sqrt(2 * (Bins - 1));
        return row.Seen < 3 * WarmUp ? 0 : Tail(z);
    }

    // -log10 of the chance of a normal deviate beyond z, two-sided; the usual bound, good to a tenth beyond 2.
    private static float Tail(float z) => z <= 1 ? 0 : (0.2171f * z * z) + MathF.Log10(z * 1.2533f);

    private struct Row
    {
        public int Seen;
        public int Still;
        public int BucketCount;
        public int Buckets;
        public float Last;
        public float Level;
        public float Spread;
        public float MoveShare;
        public float FastMove;
        public float SlowMove;
        public float RatioSize;
        public float BucketSum;
        public float HighestBucket;
        public float LeakSurprise;
    }
}
