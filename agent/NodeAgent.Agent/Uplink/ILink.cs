using Grpc.Core;

namespace NodeAgent.Agent.Uplink;

/// <summary>Opens connections to one aggregator. The seam at which simulation puts its network.</summary>
internal interface ILinkDialer
{
    /// <summary>Host and port, for people.</summary>
    string Peer { get; }

    /// <summary>
    /// Connects; may block for the connect timeout, less when <paramref name="stop"/> is cancelled and <see cref="Wake"/> called.
    /// Null: <paramref name="problem"/> says in one sentence why.
    /// </summary>
    ILink? TryDial(CancellationToken stop, out string problem);

    /// <summary>Without a connection: waits for this long, less when woken.</summary>
    void Wait(TimeSpan atMost);

    /// <summary>Ends a wait, here or on a connection, also one that begins after this; from any thread.</summary>
    void Wake();
}

/// <summary>One connection, used by one thread at a time.</summary>
internal interface ILink : IDisposable
{
    /// <summary>Opens one <c>AgentLink.Connect</c>; what the aggregator says on it goes to the receiver, during <see cref="Wait"/>.
    /// Null: the connection takes no more streams.</summary>
    ILinkStream? Open(ILinkReceiver receiver);

    /// <summary>
    /// Handles what has arrived; waits for something to arrive for at most this long, less when <see cref="ILinkDialer.Wake"/> is called.
    /// False: the connection is lost, and <see cref="Problem"/> says why.
    /// </summary>
    /// <param name="atMost">So long.</param>
    /// <param name="turn">Held by the caller; let go of while this only waits, so that another thread can send.</param>
    bool Wait(TimeSpan atMost, Lock turn);

    /// <summary>Lets what was sent go out now; <see cref="Wait"/> does so by itself. Never waits. False: as there.</summary>
    bool Flush();

    /// <summary>Why the connection was lost; empty while it is not.</summary>
    string Problem { get; }
}

/// <summary>One stream of a connection.</summary>
internal interface ILinkStream
{
    /// <summary>Sends one encoded <c>AgentMessage</c>. False: the aggregator takes no more for now; nothing was sent.</summary>
    bool TrySend(ReadOnlySpan<byte> message);

    /// <summary>Nothing more will be sent; the aggregator answers with its last acknowledgement and ends the stream.</summary>
    void CloseSend();

    /// <summary>Abandons the stream; its receiver may hear of the end at once, and nothing later.</summary>
    void Cancel();
}

/// <summary>The reading side of a stream.</summary>
internal interface ILinkReceiver
{
    /// <summary>One encoded <c>AggregatorMessage</c>; the bytes are valid during the call.</summary>
    void OnMessage(ReadOnlySpan<byte> message);

    /// <summary>The aggregator ended the stream, or broke a rule. Called once.</summary>
    void OnEnd(StatusCode code, string detail);
}
