namespace NodeAgent.Tsdb;

/// <summary>Is told what a read decodes before it does, stretch by stretch, and may end the read by an exception: limits, cancellation.</summary>
public interface IScanMeter
{
    /// <param name="samples">About to be decoded, about a thousand at most.</param>
    void Take(int samples);
}
