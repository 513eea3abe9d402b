using System.Buffers;
using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace NodeAgent.Rpc.Server.Transport;

/// <summary>
/// recv(2) and sendmsg(2) that never wait. The handle keeps the descriptor from being closed, and given to another connection, under a
/// call.
/// </summary>
internal static unsafe partial class SocketCalls
{
    /// <summary>Returned where the socket has nothing to give, or no room to take.</summary>
    internal const int WouldBlock = -1;

    private const int DontWait = 0x40; // MSG_DONTWAIT, bits/socket.h
    private const int NoSignal = 0x4000; // MSG_NOSIGNAL: a connection that is gone is an error, not the end of the process
    private const int Interrupted = 4; // EINTR
    private const int TryAgain = 11; // EAGAIN
    private const int BrokenPipe = 32; // EPIPE
    private const int ConnectionReset = 104; // ECONNRESET

    // Pieces of one call. 64 KiB of waiting output are 16 blocks.
    private const int MostPieces = 16;

    /// <summary>Bytes received; 0: the peer sends no more; or <see cref="WouldBlock"/>.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    internal static int Receive(SafeSocketHandle socket, Span<byte> into)
    {
        fixed (byte* bytes = into)
        {
            while (true)
            {
                nint received = ReceiveBytes(socket, bytes, (nuint)into.Length, DontWait);
                if (received >= 0 || !IsInterrupted())
                {
                    return received >= 0 ? (int)received : WouldBlock;
                }
            }
        }
    }

    /// <summary>Bytes of the beginning of the buffer that were sent, or <see cref="WouldBlock"/>.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    internal static int Send(SafeSocketHandle socket, in ReadOnlySequence<byte> buffer)
    {
        Piece* pieces = stackalloc Piece[MostPieces];
        Pins all = default;
        Span<MemoryHandle> pins = all;
        int count = 0;
        try
        {
            foreach (ReadOnlyMemory<byte> part in buffer)
            {
                if (count == pins.Length)
                {
                    break;
                }

                pins[count] = part.Pin();
                pieces[count] = new Piece { Start = (nint)pins[count].Pointer, Length = (nuint)part.Length };
                count++;
            }

            return SendPieces(socket, pieces, count);
        }
        finally
        {
            foreach (ref MemoryHandle pin in pins[..count])
            {
                pin.Dispose();
            }
        }
    }

    private static int SendPieces(SafeSocketHandle socket, Piece* pieces, int count)
    {
        Message message = new() { Pieces = (nint)pieces, Count = (nuint)count };
        while (true)
        {
            nint sent = SendMessage(socket, in message, DontWait | NoSignal);
            if (sent >= 0 || !IsInterrupted())
            {
                return sent >= 0 ? (int)sent : WouldBlock;
            }
        }
    }

    // True: call again; false: it would have waited. Anything else is thrown.
    private static bool IsInterrupted()
    {
        int error = Marshal.GetLastPInvokeError();
        return error switch
        {
            Interrupted => true,
            TryAgain => false,
            BrokenPipe or ConnectionReset => throw new ConnectionResetException(new Win32Exception(error).Message),
            _ => throw new IOException(new Win32Exception(error).Message),
        };
    }

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint ReceiveBytes(SafeSocketHandle socket, byte* into, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(SafeSocketHandle socket, in Message message, int flags);

    [InlineArray(MostPieces)]
    private struct Pins
    {
        private MemoryHandle _first;
    }

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Piece
    {
        internal nint Start;
        internal nuint Length;
    }

    /// <summary>struct msghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        internal nint Name;
        internal uint NameLength;
        internal nint Pieces;
        internal nuint Count;
        internal nint Control;
        internal nuint ControlLength;
        internal int Flags;
    }
}
