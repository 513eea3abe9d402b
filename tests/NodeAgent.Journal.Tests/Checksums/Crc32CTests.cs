using System.Text;
using NodeAgent.Journal.Checksums;

namespace NodeAgent.Journal.Tests.Checksums;

public sealed class Crc32CTests
{
    /// <summary>RFC 3720 appendix B.4, the check value of the CRC catalogue, and the iSCSI read command of the same appendix.</summary>
    public static TheoryData<byte[], uint> Vectors => new()
    {
        { [], 0x00000000 },
        { Encoding.ASCII.GetBytes("123456789"), 0xE3069283 },
        { new byte[32], 0x8A9136AA },
        { Enumerable.Repeat((byte)0xFF, 32).ToArray(), 0x62A8AB43 },
        { Enumerable.Range(0, 32).Select(value => (byte)value).ToArray(), 0x46DD794E },
        { Enumerable.Range(0, 32).Select(value => (byte)(31 - value)).ToArray(), 0x113FDB5C },
        { Convert.FromHexString("01C000000000000000000000000000001400000000000400000000140000001828000000000000000200000000000000"), 0xD9963A56 },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Compute_PublishedVector_GivesItsChecksum(byte[] bytes, uint expected)
    {
        Assert.Equal(expected, Crc32C.Compute(bytes));
        Assert.Equal(expected, Crc32C.AppendSoftware(0, bytes));
    }

    [Fact]
    public void Append_AnyLengthAndAlignment_AgreesWithTheTable()
    {
        var random = new Random(7);
        var bytes = new byte[300];
        random.NextBytes(bytes);
        for (int start = 0; start < 9; start++)
        {
            for (int length = 0; length < 280; length++)
            {
                uint key = (uint)random.Next();
                Assert.Equal(Crc32C.AppendSoftware(key, bytes.AsSpan(start, length)), Crc32C.Append(key, bytes.AsSpan(start, length)));
            }
        }
    }

    [Fact]
    public void Append_LongerThanTheLanes_AgreesWithTheTable()
    {
        var random = new Random(8);
        var bytes = new byte[20_000];
        random.NextBytes(bytes);
        for (int i = 0; i < 400; i++)
        {
            int start = random.Next(16);
            int length = random.Next(bytes.Length - start);
            uint key = (uint)random.Next();
            Assert.Equal(Crc32C.AppendSoftware(key, bytes.AsSpan(start, length)), Crc32C.Append(key, bytes.AsSpan(start, length)));
        }
    }

    [Fact]
    public void Append_InTwoParts_EqualsOnePart()
    {
        byte[] bytes = Encoding.ASCII.GetBytes("the quick brown fox jumps over the lazy dog");
        for (int split = 0; split <= bytes.Length; split++)
        {
            Assert.Equal(Crc32C.Compute(bytes), Crc32C.Append(Crc32C.Compute(bytes.AsSpan(0, split)), bytes.AsSpan(split)));
        }
    }
}
