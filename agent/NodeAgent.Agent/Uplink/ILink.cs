using Grpc.Core;

namespace NodeAgent.Agent.Uplink;

/// <summary>Opens connections to one aggregator. The seam at which simulation puts its network.</summary>
internal interface ILinkDialer
{
    /// <summary>Host and port, for people.</summary>
    string Peer { get; }

    /// <summary>Connects; may block for the connect timeout. Null: <paramref name="problem"/> says in one sentence why.</summary>
    ILink? TryDial(out string problem);
}

/// <summary>One connection. Everything but <see cref="Wake"/> belongs to one thread.</summary>
internal interface ILink : IDisposable
{
    /// <summary>Opens one <c>AgentLink.Connect</c>; what the aggregator says on it goes to the receiver, during <see cref="Wait"/>.</summary>
    ILinkStream Open(ILinkReceiver receiver);

    /// <summary>
    /// Handles what has arrived; waits for something to arrive for at most this long, less when woken.
    /// False: the connection is lost, and <see cref="Problem"/> says why.
    /// </summary>
    bool Wait(TimeSpan atMost);

    /// <summary>Why the connection was lost; empty while it is not.</summary>
    string Problem { get; }

    /// <summary>Ends a wait, from any thread, also one that begins after this; nothing after <see cref="IDisposable.Dispose"/>.</summary>
    void Wake();
}

/// <summary>One stream of a connection.</summary>
internal interface ILinkStream
{
    /// <summary>Sends one encoded <c>AgentMessage</c>. False: the aggregator takes no more for now; nothing was sent.</summary>
    bool TrySend(ReadOnlySpan<byte> message);

    /// <summary>Nothing more will be sent; the aggregator answers with its last acknowledgement and ends the stream.</summary>
    void CloseSend();

    /// <summary>Abandons the stream; its receiver hears nothing more.</summary>
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
