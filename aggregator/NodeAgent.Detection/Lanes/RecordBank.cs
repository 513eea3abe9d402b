using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NodeAgent.Detection.Lanes;

/// <summary>
/// Records of one stream at eight averaging spans at once: highest and lowest so far, forgetting slowly towards the mean. On exchangeable
/// data the expected number of new records between sample a and b is ln(b/a) whatever the distribution, so a record needs no threshold per
/// metric. How far a new record lies outside, in old ranges, is how new it is. Eight spans are one 256-bit register.
/// </summary>
internal readonly struct RecordBank
{
    internal const int Spans = 8;
    internal const float MostNovel = 30; // ranges outside; beyond that "how far" says nothing more

    private readonly Vector256<float> _alphas;
    private readonly Vector256<float> _weights;

    internal RecordBank(float shortest, float longest, float tilt)
    {
        Span<float> alphas = stackalloc float[Spans];
        Span<float> weights = stackalloc float[Spans];
        longest = Math.Max(longest, shortest);
        for (int at = 0; at < Spans; at++)
        {
            float share = at / (Spans - 1f);
            alphas[at] = 2 / ((shortest * MathF.Pow(longest / shortest, share)) + 1);
            weights[at] = MathF.Exp(tilt * (tilt > 0 ? share - 1 : share));
        }

        (_alphas, _weights) = (Vector256.Create<float>(alphas), Vector256.Create<float>(weights));
    }

    /// <summary>The span in samples, for people.</summary>
    internal float SpanOf(int at) => (2 / _alphas.GetElement(at)) - 1;

    /// <summary>How new the value is, 0 for not at all; then it is part of what is known.</summary>
    /// <param name="state">highs, means per span, and for a two-sided bank lows: 8 each.</param>
    /// <param name="value">The stream's value.</param>
    /// <param name="mean">Its slow mean, towards which records decay.</param>
    /// <param name="seen">How many values came before.</param>
    /// <param name="judge">False: still warming up, only widen.</param>
    /// <param name="decay">Share of the distance to the mean that a record loses now.</param>
    /// <param name="floor">Narrowest range that counts.</param>
    /// <param name="evidence">Set where something is new and it is the newest so far.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal float Update(Span<float> state, float value, float mean, int seen, bool judge, float decay, float floor, ref RecordEvidence evidence)
    {
        bool twoSided = state.Length == 3 * Spans;
        ref float at = ref state[0];
        Vector256<float> high = Vector256.LoadUnsafe(ref at);
        Vector256<float> smooth = Vector256.LoadUnsafe(ref at, Spans);
        Vector256<float> x = Vector256.Create(value);
        if (seen == 0)
        {
            x.StoreUnsafe(ref at);
            x.StoreUnsafe(ref at, Spans);
            if (twoSided)
            {
                x.StoreUnsafe(ref at, 2 * Spans);
            }

            return 0;
        }

        // A young mean weighs all it has seen alike.
        smooth += (x - smooth) * Vector256.Max(_alphas, Vector256.Create(1f / (seen + 1)));
        smooth.StoreUnsafe(ref at, Spans);
        Vector256<float> low = twoSided ? Vector256.LoadUnsafe(ref at, 2 * Spans) : Vector256.Create(mean);
        float novelty = 0;
        if (judge)
        {
            Vector256<float> outside = smooth - high;
            if (twoSided)
            {
                outside = Vector256.Max(outside, low - smooth);
            }

            if (Vector256.GreaterThanAny(outside, Vector256<float>.Zero))
            {
                novelty = Judge(outside, high, low, smooth, floor, ref evidence);
            }

            Vector256<float> middle = Vector256.Create(mean);
            high -= (high - middle) * decay;
            low += (middle - low) * decay;
        }

        Vector256.Max(high, smooth).StoreUnsafe(ref at);
        if (twoSided)
        {
            Vector256.Min(low, smooth).StoreUnsafe(ref at, 2 * Spans);
        }

        return novelty;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private float Judge(Vector256<float> outside, Vector256<float> high, Vector256<float> low, Vector256<float> smooth, float floor, ref RecordEvidence evidence)
    {
        Vector256<float> range = Vector256.Max(high - low, Vector256.Create(floor));
        Vector256<float> news = Vector256.Min(Vector256.Max(outside / range, Vector256<float>.Zero), Vector256.Create(MostNovel)) * _weights;
        int newest = 0;
        for (int at = 1; at < Spans; at++)
        {
            newest = news.GetElement(at) > news.GetElement(newest) ? at : newest;
        }

        // Root of the mean square: one span far out says as much as a few somewhat out.
        float pooled = MathF.Sqrt(Vector256.Sum(news * news) / Spans);
        evidence = new RecordEvidence(pooled, SpanOf(newest), low.GetElement(newest), high.GetElement(newest), smooth.GetElement(newest));
        return pooled;
    }
}

/// <summary>One bank's news: how new, at which span, what was known and what came.</summary>
internal readonly record struct RecordEvidence(float Novelty, float Span, float Low, float High, float Seen);
