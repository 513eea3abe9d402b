namespace NodeAgent.Rpc.Blocking.Transport;

/// <summary>What a read or write of a transport came to.</summary>
internal enum TransferResult
{
    /// <summary>At least one byte moved.</summary>
    Done,

    /// <summary>Nothing now; a poll tells when.</summary>
    WouldBlock,

    /// <summary>The peer has ended the connection in order.</summary>
    Ended,

    /// <summary>The connection is broken.</summary>
    Broken,
}

/// <summary>The bytes of a connection, with TLS or without; never waits.</summary>
internal interface ILinkTransport : IDisposable
{
    /// <summary>Bytes lie here that no poll of the socket would tell of.</summary>
    bool HasInput { get; }

    /// <summary>Bytes lie here that the socket would not take; nothing more is accepted until it does.</summary>
    bool HasOutput { get; }

    /// <summary>Why the connection is broken, in words.</summary>
    string Error { get; }

    /// <summary>Room that a read needs in order to take the next piece whole.</summary>
    int ReadSize { get; }

    TransferResult Read(byte[] buffer, int offset, int count, out int read);

    /// <summary>May take only a part.</summary>
    TransferResult Write(byte[] buffer, int offset, int count, out int written);
}
