namespace NodeAgent.Rpc.Server.Connections;

/// <summary>
/// Lets only so many TLS handshakes compute at a time, on pool threads and in order of arrival. A handshake takes part only while it has
/// bytes to work on: one that waits for its peer occupies nothing, so that silent connections cannot lock the others out. A storm of
/// reconnecting agents then costs time, but the streams that are up keep their turns on the processors.
/// </summary>
internal sealed class HandshakeGate(int most, Action<IHandshakeStep> run)
{
    private readonly Lock _lock = new();
    private readonly Queue<IHandshakeStep> _waiting = new();
    private int _running;

    /// <summary>Steps that compute now.</summary>
    internal int Running
    {
        get
        {
            lock (_lock)
            {
                return _running;
            }
        }
    }

    /// <summary>Steps whose bytes are there and whose turn is not.</summary>
    internal int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Runs the step now or when its turn comes. False: it had to wait. The caller bounds how many there can be.</summary>
    internal bool Enter(IHandshakeStep step)
    {
        lock (_lock)
        {
            if (_running >= most)
            {
                _waiting.Enqueue(step);
                return false;
            }

            _running++;
        }

        run(step);
        return true;
    }

    /// <summary>A step that was run has done its work; the next one takes its place.</summary>
    internal void Leave()
    {
        IHandshakeStep? next;
        lock (_lock)
        {
            if (!_waiting.TryDequeue(out next))
            {
                _running--;
                return;
            }
        }

        run(next);
    }
}

/// <summary>One piece of a handshake's work: from received bytes to the next wait for the peer.</summary>
internal interface IHandshakeStep : IThreadPoolWorkItem;
