namespace NodeAgent.Agent.Uplink;

/// <summary>
/// The one named thread on which an <see cref="UplinkClient"/> lives; all its network is blocking, so that a send wakes nobody else.
/// It owns the client and what the client dials with: a thread that does not come back keeps both, because to close a descriptor
/// under it would let it wait on, or write to, whatever gets the number next.
/// </summary>
internal sealed class UplinkThread : IDisposable
{
    /// <summary>What a thread needs to leave that is not stuck: its waits end when it is woken.</summary>
    private static readonly TimeSpan LeaveLimit = TimeSpan.FromSeconds(1);

    private readonly UplinkClient _client;
    private readonly IDisposable _dialer;
    private readonly Thread _thread;
    private bool _isStarted;
    private bool _wasStopped;

    internal UplinkThread(UplinkClient client, IDisposable dialer)
    {
        _client = client;
        _dialer = dialer;
        _thread = new Thread(Run) { Name = "uplink", IsBackground = true };
    }

    /// <summary>It does not run, or no longer: what it owned may go.</summary>
    private bool HasEnded => !_isStarted || !_thread.IsAlive;

    internal void Start()
    {
        _isStarted = true;
        _thread.Start();
    }

    /// <summary>Hands over what is left and ends the thread, within about this time.</summary>
    /// <returns>False: it is stuck in a call that does not return. It is a background thread and cannot keep the process.</returns>
    internal bool Stop(TimeSpan atMost)
    {
        _wasStopped = true;
        if (HasEnded)
        {
            return true;
        }

        _client.Finish();
        if (_thread.Join(atMost))
        {
            return true;
        }

        _client.Abandon();
        return _thread.Join(LeaveLimit);
    }

    public void Dispose()
    {
        // Who has waited for it once does not wait again.
        if (_wasStopped ? HasEnded : Stop(TimeSpan.Zero))
        {
            _client.Dispose();
            _dialer.Dispose();
        }
    }

    private void Run()
    {
        for (TimeSpan idle = _client.Step(); !_client.IsFinished; idle = _client.Step())
        {
            _client.Wait(idle);
        }
    }
}
