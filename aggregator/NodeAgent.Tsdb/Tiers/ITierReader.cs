namespace NodeAgent.Tsdb.Tiers;

/// <summary>A reader that also has rows of tiers.</summary>
internal interface ITierReader
{
    /// <summary>Raw samples up to this time may be gone while rows of tiers are left; <see cref="long.MinValue"/>: no tier reaches further back.</summary>
    long RawGoneThroughUnixMs { get; }

    /// <summary>Rows of minutes up to this time may be gone while rows of hours are left.</summary>
    long MinutesGoneThroughUnixMs { get; }

    /// <summary>
    /// Appends the rows whose ends lie in (from, to], both multiples of the bucket: from files where there are, else made from the samples.
    /// </summary>
    /// <param name="series">The series.</param>
    /// <param name="fromUnixMs">Exclusive.</param>
    /// <param name="toUnixMs">Inclusive; a bucket that ends later is not given.</param>
    /// <param name="bucketMs"><see cref="Merging.SegmentMerge.MinuteMs"/> or <see cref="Merging.SegmentMerge.HourMs"/>.</param>
    /// <param name="into">Receives the rows.</param>
    /// <returns>False: a NaN sample was left out somewhere.</returns>
    bool ReadTier(SeriesInfo series, long fromUnixMs, long toUnixMs, long bucketMs, TierBuffer into);
}
