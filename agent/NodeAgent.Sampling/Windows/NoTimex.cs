using NodeAgent.Sampling.Clock;

namespace NodeAgent.Sampling.Windows;

/// <summary>Windows has no call that says whether its clock is disciplined: the quality is unknown, and steps are still seen.</summary>
internal sealed class NoTimex : ITimexSource
{
    private const int NotImplemented = 38; // ENOSYS

    public bool TryRead(out TimexReading reading, out int state)
    {
        reading = default;
        state = NotImplemented;
        return false;
    }
}
