using System.Buffers.Binary;
using System.Text;
using NodeAgent.Rpc.Blocking.Http2;

namespace NodeAgent.Rpc.Tests.Blocking;

/// <summary>Frames as a server writes them, well or badly.</summary>
internal static class Frames
{
    internal static byte[] Settings(params (ushort Name, uint Value)[] values) =>
        Frame(FrameType.Settings, 0, 0, [.. values.SelectMany(value => (byte[])[.. Number16(value.Name), .. Number(value.Value)])]);

    internal static byte[] SettingsAck => Frame(FrameType.Settings, FrameHeader.Ack, 0, []);

    internal static byte[] Head(int stream, FrameFlags flags = FrameFlags.EndHeaders) =>
        Frame(FrameType.Headers, flags, stream, Block((":status", "200"), ("content-type", "application/grpc")));

    internal static byte[] Trailers(int stream, string status = "0", params (string, string)[] more) =>
        Frame(FrameType.Headers, FrameFlags.EndHeaders | FrameFlags.EndStream, stream, Block([("grpc-status", status), .. more]));

    internal static byte[] Data(int stream, byte[] payload, FrameFlags flags = 0) => Frame(FrameType.Data, flags, stream, payload);

    internal static byte[] Message(int stream, byte[] payload) => Data(stream, RawCall.Frame(payload));

    internal static byte[] WindowUpdate(int stream, uint increment) => Frame(FrameType.WindowUpdate, 0, stream, Number(increment));

    internal static byte[] Reset(int stream, uint error) => Frame(FrameType.RstStream, 0, stream, Number(error));

    internal static byte[] GoAway(int last, uint error, string debug = "") =>
        Frame(FrameType.GoAway, 0, 0, [.. Number((uint)last), .. Number(error), .. Encoding.ASCII.GetBytes(debug)]);

    internal static byte[] Frame(FrameType type, FrameFlags flags, int stream, byte[] payload)
    {
        byte[] frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(payload.Length, type, flags, stream).Write(frame);
        payload.CopyTo(frame, FrameHeader.Size);
        return frame;
    }

    /// <summary>Literals without indexing: what any encoder may write.</summary>
    internal static byte[] Block(params (string Name, string Value)[] fields) =>
        [.. fields.SelectMany(field => (byte[])[0, .. Text(field.Name), .. Text(field.Value)])];

    internal static byte[] Number(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Number16(ushort value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Text(string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        return bytes.Length < 127 ? [(byte)bytes.Length, .. bytes] : [127, .. Rest(bytes.Length - 127), .. bytes];
    }

    private static List<byte> Rest(int value)
    {
        List<byte> bytes = [];
        for (; value >= 128; value >>= 7)
        {
            bytes.Add((byte)(value | 128));
        }

        bytes.Add((byte)value);
        return bytes;
    }
}
