using System.Text;
using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Fuzz.Targets;

/// <summary>Header values as a peer sends them. The first byte picks grpc-timeout, grpc-message or binary metadata.</summary>
internal sealed class RpcHeaderTarget : Engine.IFuzzTarget
{
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromHours(99_999_999); // eight digits of the largest unit

    public string Name => "rpc_header";

    public IReadOnlyList<byte[]> Seeds { get; } =
    [
        [0, .. "99999999H"u8], [0, .. "100u"u8],
        [1, .. "100%25 of caf%C3%A9 %"u8], [1, .. "\U0001F600 text"u8],
        [2, .. "AAEC,/w==, Zg"u8],
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } = ["%F0%9F"u8.ToArray(), "%2"u8.ToArray(), "=="u8.ToArray(), "\uFFFD"u8.ToArray()];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return;
        }

        string text = Encoding.UTF8.GetString(input[1..]);
        switch (input[0] % 3)
        {
            case 0:
                CheckTimeout(text);
                break;
            case 1:
                Invariant.Holds(PercentEncoding.Decode(PercentEncoding.Encode(text)) == text, "text comes back");
                PercentEncoding.Decode(text);
                break;
            default:
                CheckMetadata(text);
                break;
        }
    }

    private static void CheckTimeout(string text)
    {
        if (RpcTimeout.TryParse(text, out TimeSpan timeout))
        {
            Invariant.Holds(timeout >= TimeSpan.Zero, "no timeout is negative");
            bool read = RpcTimeout.TryParse(RpcTimeout.Encode(timeout), out TimeSpan again);
            Invariant.Holds(read && (again >= timeout || again == LongestTimeout), "what is sent on is no shorter");
        }
    }

    private static void CheckMetadata(string text)
    {
        Metadata read = [];
        if (!MetadataCodec.TryDecode("x-bin", text, read))
        {
            return;
        }

        Metadata again = [];
        Invariant.Holds(MetadataCodec.TryDecode("x-bin", string.Join(',', read.Select(MetadataCodec.EncodeValue)), again), "written metadata reads");
        Invariant.Holds(
            read.Select(e => Convert.ToHexString(e.ValueBytes)).SequenceEqual(again.Select(e => Convert.ToHexString(e.ValueBytes))), "bytes come back");
    }
}
