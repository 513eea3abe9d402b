using System.Net.Sockets;

namespace NodeAgent.Rpc.Blocking.Transport;

/// <summary>A non-blocking TCP socket.</summary>
internal sealed class PlainTransport(Socket socket) : ILinkTransport
{
    public bool HasInput => false;

    public bool HasOutput => false;

    public string Error { get; private set; } = "";

    public int ReadSize => 1;

    public TransferResult Read(byte[] buffer, int offset, int count, out int read)
    {
        read = socket.Receive(buffer.AsSpan(offset, count), SocketFlags.None, out SocketError error);
        return error switch
        {
            SocketError.Success when read > 0 => TransferResult.Done,
            SocketError.Success => TransferResult.Ended,
            _ => Judge(error),
        };
    }

    public TransferResult Write(byte[] buffer, int offset, int count, out int written) => Write(buffer.AsSpan(offset, count), out written);

    public void Dispose() => socket.Dispose();

    internal TransferResult Write(ReadOnlySpan<byte> bytes, out int written)
    {
        written = socket.Send(bytes, SocketFlags.None, out SocketError error);
        return error == SocketError.Success ? TransferResult.Done : Judge(error);
    }

    private TransferResult Judge(SocketError error)
    {
        if (error is SocketError.WouldBlock or SocketError.IOPending or SocketError.NoBufferSpaceAvailable or SocketError.Interrupted)
        {
            return TransferResult.WouldBlock;
        }

        Error = error switch
        {
            SocketError.ConnectionReset => "the connection was reset",
            SocketError.TimedOut => "the connection timed out",
            _ => new SocketException((int)error).Message,
        };
        return TransferResult.Broken;
    }
}
