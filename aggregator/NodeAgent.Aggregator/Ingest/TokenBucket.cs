namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// A rate with a reserve. It may be overdrawn: what has arrived has cost its bytes already, so it is taken, and the debt says how long to
/// wait. Not thread-safe.
/// </summary>
internal struct TokenBucket
{
    private readonly double _perSecond;
    private readonly double _burst;
    private double _balance;
    private long _refilledMs = long.MinValue;

    internal TokenBucket(double perSecond, double burst)
    {
        _perSecond = perSecond;
        _burst = burst;
        _balance = burst;
    }

    /// <summary>Pays; false: the account is overdrawn now.</summary>
    internal bool TryPay(double cost, long monotonicMs)
    {
        if (_refilledMs != long.MinValue)
        {
            _balance = Math.Min(_burst, _balance + (Math.Max(0, monotonicMs - _refilledMs) * _perSecond / 1000));
        }

        _refilledMs = monotonicMs;
        _balance -= cost;
        return _balance >= 0;
    }

    /// <summary>Milliseconds until nothing is owed any more.</summary>
    internal readonly long WaitMs => _balance >= 0 ? 0 : (long)Math.Ceiling(-_balance * 1000 / _perSecond);

    /// <summary>More than a whole reserve is owed: whoever owes it was told to wait and did not.</summary>
    internal readonly bool IsExhausted => _balance < -_burst;
}
