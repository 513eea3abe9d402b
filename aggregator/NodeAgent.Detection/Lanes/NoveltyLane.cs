using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace NodeAgent.Detection.Lanes;

/// <summary>Which view of a series has something new.</summary>
public enum NoveltyStream
{
    /// <summary>The value itself, averaged.</summary>
    Level = 0,

    /// <summary>Its distance from what it usually is at this time of day.</summary>
    Daily = 1,

    /// <summary>Its distance from what it usually is at this time of the week.</summary>
    Weekly = 2,

    /// <summary>A step from one value to another that is rare.</summary>
    Step = 3,

    /// <summary>A value that is rare at this time of day.</summary>
    Hour = 4,
}

/// <summary>Why a sample is new: the stream, over how many samples, between what it always was, and what it is.</summary>
public readonly record struct NoveltyEvidence(NoveltyStream Stream, float Novelty, float Span, double Low, double High, double Seen);

/// <summary>
/// "Never seen before", for many series, without a threshold per metric: five views of each series, records of each at eight time spans
/// (<see cref="RecordBank"/>), summed. Causal, without a training phase; the state of a series is a fixed number of bytes in columns.
/// </summary>
public sealed class NoveltyLane
{
    private const int Symbols = 12;
    private const int Hours = 8; // of three hours: 12 and 24 cost 48 and 192 bytes more and gained nothing
    private const int BankFloats = (3 * 3 * RecordBank.Spans) + (2 * 2 * RecordBank.Spans);
    private const int MostSeen = 1 << 24;

    private readonly NoveltyOptions _options;
    private readonly RecordBank _levels;
    private readonly RecordBank _residuals;
    private readonly RecordBank _surprises;
    private readonly float[] _banks;
    private readonly byte[] _steps;
    private readonly byte[] _hours;
    private readonly Row[] _rows;

    /// <param name="capacity">How many series.</param>
    /// <param name="options">Null: the defaults.</param>
    public NoveltyLane(int capacity, NoveltyOptions? options = null)
    {
        _options = options ?? new NoveltyOptions();
        _levels = new RecordBank(1, _options.LongestSpan, _options.SpanTilt);
        _residuals = new RecordBank(_options.ShortestResidualSpan, _options.LongestSpan, _options.SpanTilt);
        _surprises = new RecordBank(_options.ShortestSurpriseSpan, _options.LongestSpan, _options.SpanTilt);
        _banks = new float[capacity * BankFloats];
        _steps = new byte[capacity * Symbols * Symbols];
        _hours = new byte[capacity * Hours * Symbols];
        _rows = new Row[capacity];
    }

    /// <summary>Bytes a series takes here, the seasons not counted.</summary>
    public static int BytesPerSeries => (BankFloats * sizeof(float)) + (Symbols * Symbols) + (Hours * Symbols) + Unsafe.SizeOf<Row>();

    /// <summary>How new a sample is: 0 for nothing worth saying now. Comparable between series.</summary>
    /// <param name="series">Its row.</param>
    /// <param name="value">Difference from the series' first value.</param>
    /// <param name="size">How large the values are as such; sets the narrowest range that counts.</param>
    /// <param name="unixMs">When.</param>
    /// <param name="daily">What this time of day usually brings; NaN: not known.</param>
    /// <param name="weekly">What this time of the week usually brings; NaN: not known.</param>
    /// <param name="evidence">Meaningful where the result is above 0.</param>
    public float Update(int series, float value, float size, long unixMs, float daily, float weekly, out NoveltyEvidence evidence)
    {
        ref Row row = ref _rows[series];
        Span<float> banks = _banks.AsSpan(series * BankFloats, BankFloats);
        int seen = row.Seen;
        float life = MathF.Max(_options.HalfLife, _options.HalfLifeShare * seen);
        float floor = _options.Floor * size;
        float perLife = 1 / life;
        var step = new Step(seen + 1 < life ? 1f / (seen + 1) : perLife, 0.6931f * perLife, floor);
        evidence = default;

        // Where the value lies between its records so far, before they move.
        int symbol = SymbolOf(value, banks[2 * RecordBank.Spans], banks[0]);
        float score = 0;
        row.LevelMean += (value - row.LevelMean) * step.MeanRate;
        score += Judge(NoveltyStream.Level, _levels, banks[..24], value, row.LevelMean, seen, seen >= _options.WarmUp, step, _options.LevelWeight, ref evidence);
        if (!float.IsNaN(daily))
        {
            score += Residual(NoveltyStream.Daily, banks.Slice(24, 24), value - daily, ref row.DailyMean, ref row.DailySeen, step, _options.DailyWeight, ref evidence);
        }

        if (!float.IsNaN(weekly))
        {
            score += Residual(NoveltyStream.Weekly, banks.Slice(48, 24), value - weekly, ref row.WeeklyMean, ref row.WeeklySeen, step, _options.WeeklyWeight, ref evidence);
        }

        if (seen > 0)
        {
            float surprise = Surprise(_steps.AsSpan((series * Symbols * Symbols) + (row.Symbol * Symbols), Symbols), symbol);
            row.StepMean += (surprise - row.StepMean) * step.MeanRate;
            score += Judge(NoveltyStream.Step, _surprises, banks.Slice(72, 16), surprise, row.StepMean, seen - 1, seen >= _options.WarmUp, step with { Floor = 0.1f }, _options.StepWeight, ref evidence);
        }

        int hour = (int)(unixMs % 86_400_000 * Hours / 86_400_000);
        float rarity = Surprise(_hours.AsSpan((series * Hours * Symbols) + (hour * Symbols), Symbols), symbol);
        if (!float.IsNaN(daily))
        {
            row.HourMean += (rarity - row.HourMean) * step.MeanRate;
            int before = row.DailySeen - 1; // the residual above has just counted this sample
            score += Judge(NoveltyStream.Hour, _surprises, banks.Slice(88, 16), rarity, row.HourMean, before, before >= _options.ResidualWarmUp, step with { Floor = 0.1f }, _options.HourWeight, ref evidence);
        }

        row.Symbol = (byte)symbol;
        row.Seen = Math.Min(seen + 1, MostSeen);
        return Rested(ref row, score);
    }

    internal void Expect(int series)
    {
        CacheHint.Fetch(_rows, series, 1);
        CacheHint.Fetch(_banks, series * BankFloats, BankFloats);
        CacheHint.Fetch(_steps, series * Symbols * Symbols, Symbols * Symbols);
        CacheHint.Fetch(_hours, series * Hours * Symbols, Hours * Symbols);
    }

    /// <summary>Forgets a series, so that its row can serve another.</summary>
    public void Clear(int series)
    {
        _banks.AsSpan(series * BankFloats, BankFloats).Clear();
        _steps.AsSpan(series * Symbols * Symbols, Symbols * Symbols).Clear();
        _hours.AsSpan(series * Hours * Symbols, Hours * Symbols).Clear();
        _rows[series] = default;
    }

    private static int SymbolOf(float value, float low, float high)
    {
        float place = high > low ? (value - low) / (high - low) : 0.5f;
        return Math.Clamp((int)(place * Symbols), 0, Symbols - 1);
    }

    // Minus the logarithm of how often this symbol came before in this context; then one more. A full count halves its row: old habits fade.
    private float Surprise(Span<byte> counts, int symbol)
    {
        int total = SumOf(counts);
        float share = (counts[symbol] + _options.Smoothing) / (total + (_options.Smoothing * Symbols));
        if (counts[symbol] == byte.MaxValue)
        {
            foreach (ref byte count in counts)
            {
                count >>= 1;
            }
        }

        counts[symbol]++;
        return -Log(share);
    }

    // Twelve bytes as pairs of bytes in two registers; a loop over them was a sixth of the lane's time.
    private static int SumOf(ReadOnlySpan<byte> counts)
    {
        const ulong Even = 0x00FF00FF00FF00FF;
        ulong first = BinaryPrimitives.ReadUInt64LittleEndian(counts);
        ulong rest = BinaryPrimitives.ReadUInt32LittleEndian(counts[sizeof(ulong)..]);
        ulong pairs = (first & Even) + ((first >> 8) & Even) + (rest & Even) + ((rest >> 8) & Even);
        return (int)((pairs * 0x0001000100010001) >> 48);
    }

    // Base 2 to a tenth, by exponent and mantissa; the measure of a surprise needs no more, and MathF.Log is most of its cost.
    private static float Log(float value)
    {
        int bits = BitConverter.SingleToInt32Bits(value);
        float mantissa = BitConverter.Int32BitsToSingle((bits & 0x7FFFFF) | 0x3F800000);
        return ((bits >> 23) - 127 + ((mantissa - 1) * (1.3465f - (0.3465f * (mantissa - 1))))) * 0.6931f;
    }

    private float Residual(NoveltyStream stream, Span<float> bank, float value, ref float mean, ref ushort seen, Step step, float weight, ref NoveltyEvidence evidence)
    {
        mean += (value - mean) * MathF.Max(step.MeanRate, 1f / (seen + 1));
        float score = Judge(stream, _residuals, bank, value, mean, seen, seen >= _options.ResidualWarmUp, step, weight, ref evidence);
        seen = (ushort)Math.Min(seen + 1, ushort.MaxValue);
        return score;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Judge(NoveltyStream stream, in RecordBank bank, Span<float> state, float value, float mean, int seen, bool judge, Step step, float weight, ref NoveltyEvidence evidence)
    {
        RecordEvidence record = default;
        float news = weight * bank.Update(state, value, mean, seen, judge, step.Decay, step.Floor, ref record);
        if (news > evidence.Novelty)
        {
            evidence = new NoveltyEvidence(stream, news, record.Span, record.Low, record.High, record.Seen);
        }

        return news;
    }

    // A lesser novelty soon after a greater one is the same story.
    private float Rested(ref Row row, float score)
    {
        row.Envelope *= 1 - (1 / MathF.Max(_options.Rest, _options.RestShare * row.Seen));
        if (score <= row.Envelope)
        {
            return 0;
        }

        row.Envelope = score;
        return score;
    }

    private readonly record struct Step(float MeanRate, float Decay, float Floor);

    private struct Row
    {
        public int Seen;
        public ushort DailySeen;
        public ushort WeeklySeen;
        public float LevelMean;
        public float DailyMean;
        public float WeeklyMean;
        public float StepMean;
        public float HourMean;
        public float Envelope;
        public byte Symbol;
    }
}
