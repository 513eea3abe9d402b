using System.Buffers;
using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Fuzz.Targets;

/// <summary>
/// The bytes of one direction of a call, with gzip announced or not by the first byte. Received in two pieces they give the same
/// messages as in one.
/// </summary>
internal sealed class RpcMessageTarget : Engine.IFuzzTarget
{
    private const int MaxPayload = 1 << 20;

    private static readonly Marshaller<string> Marshaller = Marshallers.Create(
        static (_, _) => throw new NotSupportedException("only reads"), static context => Convert.ToHexString(context.PayloadAsReadOnlySequence().ToArray()));

    public string Name => "rpc_message";

    public IReadOnlyList<byte[]> Seeds { get; } =
    [
        [0, .. Frame(0, "one"u8), .. Frame(0, "two, longer"u8), .. Frame(0, [])],
        [1, .. Frame(1, Gzip([.. Enumerable.Repeat((byte)'a', 5000)])), .. Frame(0, "plain"u8)],
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } = [[0, 0, 0, 0, 1], [1, 0, 0, 0, 20], [0, 0xFF, 0xFF, 0xFF, 0xFF], [0x1F, 0x8B, 8, 0]];

    public IReadOnlyList<Type> Covers { get; } = [typeof(MessageDecoder)];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < 2)
        {
            return;
        }

        string? encoding = (input[0] & 1) == 0 ? null : RpcHeaderNames.Gzip;
        byte[] bytes = input[1..].ToArray();
        int cut = bytes.Length * (input[0] >> 1) / 128;
        ReadOnlySequence<byte> whole = new(bytes);
        Invariant.Holds(Decode(encoding, whole).SequenceEqual(Decode(encoding, whole.Slice(0, cut), whole)), "pieces do not matter");
    }

    private static List<string> Decode(string? encoding, params ReadOnlySequence<byte>[] arrivals)
    {
        MessageDecoder decoder = new(MaxPayload) { Encoding = encoding };
        List<string> messages = [];
        long taken = 0;
        try
        {
            foreach (ReadOnlySequence<byte> arrived in arrivals)
            {
                ReadOnlySequence<byte> rest = arrived.Slice(taken);
                while (decoder.TryDecode(ref rest, Marshaller, out string message))
                {
                    messages.Add(message);
                }

                taken = arrived.Length - rest.Length;
            }
        }
        catch (RpcException e)
        {
            messages.Add(e.Status.ToString());
        }
        finally
        {
            decoder.Release();
        }

        return messages;
    }

    private static byte[] Frame(byte compressed, ReadOnlySpan<byte> payload) =>
        [compressed, 0, 0, (byte)(payload.Length >> 8), (byte)payload.Length, .. payload];

    private static ReadOnlySpan<byte> Gzip(ReadOnlySpan<byte> payload)
    {
        GrowingBuffer output = new();
        GzipCodec.Compress(payload, output);
        return output.Written.ToArray();
    }
}
