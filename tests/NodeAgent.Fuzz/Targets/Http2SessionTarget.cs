using Grpc.Core;
using NodeAgent.Rpc.Blocking;
using NodeAgent.Rpc.Blocking.Hpack;
using NodeAgent.Rpc.Blocking.Http2;

namespace NodeAgent.Fuzz.Targets;

/// <summary>
/// What a server says to the blocking client with three calls open, one of them cancelled. Received in two pieces, cut where the first byte
/// says, it means the same as in one; no peer makes the session hold more than its bounds, and every call ends once at most.
/// </summary>
internal sealed class Http2SessionTarget : Engine.IFuzzTarget
{
    // One frame and what doubling adds; the flood bound and one answer past it.
    private const int InputBound = 64 * 1024;
    private const int OutputBound = (1024 * 1024) + (64 * 1024);

    private static readonly byte[] Head = [0x88, 0x5F, 0x10, .. "application/grpc"u8]; // :status 200; content-type by its index
    private static readonly byte[] Trailers = [0x40, 11, .. "grpc-status"u8, 1, (byte)'0', 0x00, 12, .. "grpc-message"u8, 4, .. "a%20"u8];
    private static readonly byte[] Settings = Frame(4, 0, 0, []);
    private static readonly byte[] Message = [0, 0, 0, 0, 3, 1, 2, 3];

    public string Name => "http2_session";

    public IReadOnlyList<byte[]> Seeds { get; } =
    [
        [20, .. Settings, .. Frame(4, 1, 0, []), .. Frame(1, 4, 1, Head), .. Frame(0, 0, 1, [.. Message, .. Message]), .. Frame(1, 5, 1, Trailers)],
        [90, .. Settings, .. Frame(1, 4, 1, Head), .. Frame(1, 4, 5, Head), .. Frame(0, 0, 5, Message.AsSpan(0, 4)), .. Frame(0, 0, 5, Message.AsSpan(4))],
        [50, .. Frame(4, 0, 0, [0, 4, 0, 0, 0, 9, 0, 5, 0, 1, 0, 0, 0, 3, 0, 0, 0, 1]), .. Frame(8, 0, 0, [0, 0, 1, 0]), .. Frame(8, 0, 1, [0, 0, 0, 9])],
        [60, .. Settings, .. Frame(1, 0x28, 1, [2, 0, 0, 0, 0, 1, .. Head.AsSpan(0, 4), 0, 0]), .. Frame(9, 4, 1, Head.AsSpan(4)), .. Frame(0, 8, 1, [1, .. Message, 0])],
        [70, .. Settings, .. Frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]), .. Frame(3, 0, 1, [0, 0, 0, 7]), .. Frame(7, 0, 0, [0, 0, 0, 3, 0, 0, 0, 0, (byte)'x'])],
        [80, .. Settings, .. Frame(1, 5, 3, [0x20, 0x3F, 0xE1, 0x1F, 0x88, 0xBE]), .. Frame(1, 5, 1, [0x48, 0x82, 0x64, 0x02])],
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } =
    [
        Settings, Frame(4, 1, 0, []), Frame(1, 4, 1, Head), Frame(1, 5, 1, Trailers), Frame(0, 0, 1, Message), Frame(0, 1, 5, Message),
        Frame(9, 4, 1, []), Frame(8, 0, 0, [0x7F, 0xFF, 0, 0]), [0x40, 1, (byte)'a', 1, (byte)'b'], [0xBE], [0x20], [0xFF, 0xFF, 0xFF, 0x7F],
    ];

    public IReadOnlyList<Type> Covers { get; } = [typeof(HpackDecoder)];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return;
        }

        int cut = (input.Length - 1) * input[0] / 256;
        List<string> whole = Hear([input[1..].ToArray()]);
        List<string> pieces = Hear([input[1..][..cut].ToArray(), input[1..][cut..].ToArray()]);
        Invariant.Holds(whole.SequenceEqual(pieces), "pieces do not matter");
    }

    private static List<string> Hear(byte[][] pieces)
    {
        Listener listener = new();
        Http2Session session = new(new BlockingConnectionOptions { MaxReceiveMessageBytes = 10_000 }, isTls: false, "peer:1");
        BlockingStream first = session.OpenStream("/s/first", null, listener);
        session.OpenStream("/s/cancelled", null, listener).Cancel();
        session.OpenStream("/s/third", null, listener);
        first.TrySend(new byte[100_000]);
        try
        {
            foreach (byte[] piece in pieces)
            {
                Feed(session, piece);
            }
        }
        catch (Http2Exception e)
        {
            listener.Heard.Add($"{e.Error}: {e.Message}");
        }

        listener.Heard.Add($"draining {session.IsDraining}, output {session.Output.Length}");
        session.CloseAll(Status.DefaultCancelled);
        Invariant.Holds(listener.Ended == 3, "every call ends once");
        return listener.Heard;
    }

    // As the socket does: no more than there is room for.
    private static void Feed(Http2Session session, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            session.Input.EnsureFree(1);
            int count = Math.Min(session.Input.Free, bytes.Length);
            bytes[..count].CopyTo(session.Input.Array.AsSpan(session.Input.Offset));
            session.Input.Commit(count);
            bytes = bytes[count..];
            session.ProcessInput();
            Invariant.Holds(session.Input.Array.Length <= InputBound, "input is bounded");
            Invariant.Holds(session.Output.Length <= OutputBound, "output is bounded");
        }
    }

    private static byte[] Frame(byte type, byte flags, byte stream, ReadOnlySpan<byte> payload) =>
        [0, (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, stream, .. payload];

    private sealed class Listener : IBlockingStreamSink
    {
        internal List<string> Heard { get; } = [];

        internal int Ended { get; private set; }

        public void OnMessage(BlockingStream stream, ReadOnlySpan<byte> message) => Heard.Add($"{stream.Path} {Convert.ToHexString(message)}");

        public void OnClosed(BlockingStream stream, Status status, Metadata trailers)
        {
            Ended++;
            Heard.Add($"{stream.Path} {status} {string.Join(",", trailers.Select(entry => entry.ToString()))}");
        }
    }
}
