namespace NodeAgent.Hosting.Configuration;

/// <summary>Guesses which key was meant.</summary>
internal static class Suggestion
{
    /// <summary><c>did you mean 'sampling.interval'?</c>, or null when nothing is near.</summary>
    public static string? For(RawSetting raw, IReadOnlyList<string> known)
    {
        string written = raw.Key;
        string? nearest = null;
        int least = int.MaxValue;
        foreach (string candidate in Candidates(raw, known))
        {
            int distance = EditDistance.Between(written, candidate);
            if (distance < least)
            {
                (nearest, least) = (candidate, distance);
            }
        }

        // One slip in three characters is still the same word to a reader; more is a coincidence.
        if (nearest is not null && least <= Math.Max(2, written.Length / 4))
        {
            return $"did you mean '{nearest}'?";
        }

        string[] elsewhere = [.. known.Where(key => key.EndsWith("." + raw.Path[^1], StringComparison.Ordinal) || key == raw.Path[^1])];
        return elsewhere.Length == 1 ? $"did you mean '{FillIn(elsewhere[0], raw.Path)}'?" : null;
    }

    /// <summary>The settings, and the sections as deep as what was written: an empty or misused section has a name to mistype too.</summary>
    private static IEnumerable<string> Candidates(RawSetting raw, IReadOnlyList<string> known) =>
        known.Concat(known.Select(key => key.Split('.')).Where(parts => parts.Length > raw.Path.Count)
                .Select(parts => string.Join('.', parts[..raw.Path.Count])))
            .Distinct().Select(key => FillIn(key, raw.Path));

    /// <summary>Puts the names that were written where the known key leaves the choice to the file.</summary>
    private static string FillIn(string key, IReadOnlyList<string> written)
    {
        if (!key.Contains('*', StringComparison.Ordinal))
        {
            return key;
        }

        string[] parts = key.Split('.');
        for (int i = 0; i < parts.Length; i++)
        {
            parts[i] = parts[i] == "*" ? i < written.Count ? written[i] : "<name>" : parts[i];
        }

        return string.Join('.', parts);
    }
}
