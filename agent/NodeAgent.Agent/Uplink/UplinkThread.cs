namespace NodeAgent.Agent.Uplink;

/// <summary>The one named thread on which an <see cref="UplinkClient"/> lives; all its network is blocking, so that a send wakes nobody else.</summary>
internal sealed class UplinkThread
{
    private readonly UplinkClient _client;
    private readonly Thread _thread;
    private volatile bool _isStopping;

    internal UplinkThread(UplinkClient client)
    {
        _client = client;
        _thread = new Thread(Run) { Name = "uplink", IsBackground = true };
    }

    internal void Start() => _thread.Start();

    /// <summary>Hands over what is left and ends the thread, within about this time.</summary>
    internal void Stop(TimeSpan atMost)
    {
        _client.Finish();
        if (!_thread.Join(atMost))
        {
            // A background thread: a connection that hangs cannot keep the process.
            _isStopping = true;
            _client.Wake();
            return;
        }

        _client.Dispose();
    }

    private void Run()
    {
        while (!_isStopping && !_client.IsFinished)
        {
            _client.Wait(_client.Step());
        }
    }
}
