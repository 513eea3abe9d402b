namespace NodeAgent.Detection.Incidents;

/// <summary>
/// What people's verdicts do to thresholds: each "wrong" makes the cause's detector a quarter stricter, each "right" takes a tenth back, within
/// fixed bounds. No number of verdicts silences a detector for good; whoever wants that writes a silence, which has an end and a reason.
/// </summary>
public sealed class Feedback
{
    /// <summary>No cause becomes more eager than this.</summary>
    public const double Least = 0.7;

    /// <summary>Nor stricter than this: a rule must hold three times as long, a residual be about ten times as rare.</summary>
    public const double Most = 3;

    private readonly Dictionary<string, double> _strictness = new(StringComparer.Ordinal);

    /// <summary>How much stricter than by default; 1 for a cause that nobody judged. Safe from any thread.</summary>
    public double Of(string cause)
    {
        lock (_strictness)
        {
            return _strictness.GetValueOrDefault(cause, 1);
        }
    }

    /// <summary>A person's verdict; the result is the strictness from now on.</summary>
    public double Judge(string cause, bool right)
    {
        lock (_strictness)
        {
            double now = Math.Clamp(_strictness.GetValueOrDefault(cause, 1) * (right ? 0.9 : 1.25), Least, Most);
            _strictness[cause] = now;
            return now;
        }
    }

    /// <summary>All causes that were judged, for a journal.</summary>
    public IReadOnlyDictionary<string, double> All()
    {
        lock (_strictness)
        {
            return new Dictionary<string, double>(_strictness, StringComparer.Ordinal);
        }
    }

    /// <summary>Takes back what a journal kept.</summary>
    public void Restore(string cause, double strictness)
    {
        lock (_strictness)
        {
            _strictness[cause] = Math.Clamp(strictness, Least, Most);
        }
    }
}
