using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Contracts.Identity;
using NodeAgent.V1;

namespace NodeAgent.Fuzz.Targets;

/// <summary>
/// What a stranger may send to be enrolled. The first byte picks what the rest is: a request for a certificate, a token, or the whole
/// message with both.
/// </summary>
internal sealed class EnrolmentTarget : Engine.IFuzzTarget
{
    // Made once for each run: a signature is random in any case, and what counts is that nobody but this key is ever accepted.
    private static readonly byte[] Key;
    private static readonly byte[] Request;
    private static readonly string Token = EnrolmentToken.Create(new byte[32]).Reveal();

    static EnrolmentTarget()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Key = key.ExportSubjectPublicKeyInfo();
        Request = new CertificateRequest("CN=nodeagent", key, HashAlgorithmName.SHA256).CreateSigningRequest();
    }

    public string Name => "enrolment";

    public IReadOnlyList<byte[]> Seeds { get; } =
    [
        [0, .. Request], [1, .. Encoding.ASCII.GetBytes(Token)],
        [2, .. Google.Protobuf.MessageExtensions.ToByteArray(new JoinRequest { Token = Token, Request = Google.Protobuf.ByteString.CopyFrom(Request) })],
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } =
    [
        [0x30, 0x59, 0x30, 0x13], [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02], [0x30, 0x80], [0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], [0xA0, 0x00], "na1."u8.ToArray(),
    ];

    public IReadOnlyList<Type> Covers => [typeof(SigningRequest), typeof(EnrolmentToken)];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return;
        }

        byte[] rest = input[1..].ToArray();
        switch (input[0] % 3)
        {
            case 0:
                Read(rest);
                break;
            case 1:
                ReadToken(Encoding.UTF8.GetString(rest));
                break;
            default:
                ReadMessage(rest);
                break;
        }
    }

    private static void ReadMessage(byte[] bytes)
    {
        try
        {
            JoinRequest join = JoinRequest.Parser.ParseFrom(bytes);
            ReadToken(join.Token);
            Read(join.Request.ToByteArray());
        }
        catch (Google.Protobuf.InvalidProtocolBufferException) // answered by the server before our part begins
        {
        }
    }

    private static void Read(byte[] request)
    {
        bool isRead = SigningRequest.TryRead(request, out byte[]? key, out string problem);
        Invariant.Holds(isRead == (problem.Length == 0), "a refusal has a reason");
        Invariant.Holds(!isRead || key.AsSpan().SequenceEqual(Key), "a key is accepted only with a signature by it");
    }

    private static void ReadToken(string text) =>
        Invariant.Holds(!EnrolmentToken.TryParse(text, out EnrolmentToken? token) || token.Reveal() == text.Trim(), "a token has one spelling");
}
