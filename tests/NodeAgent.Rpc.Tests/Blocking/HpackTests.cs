using System.Text;
using NodeAgent.Rpc.Blocking.Hpack;
using NodeAgent.Rpc.Blocking.Http2;

namespace NodeAgent.Rpc.Tests.Blocking;

public sealed class HpackTests
{
    // Bytes 0 to 255 as the framework's own encoder (System.Net.Http) writes them.
    private const string EveryByte =
        "FFC7FFFD8FFFFFE2FFFFFE3FFFFFE4FFFFFE5FFFFFE6FFFFFE7FFFFFE8FFFFEAFFFFFFF3FFFFFA7FFFFFABFFFFFFDFFFFFEBFFFFFECFFFFFEDFFFFFE"
        + "EFFFFFEFFFFFFF0FFFFFF1FFFFFF2FFFFFFFBFFFFFCFFFFFFD3FFFFFD7FFFFFDBFFFFFDFFFFFFE3FFFFFE7FFFFFEBFFFFFED4FE3F9FFAFFCABF1FEBF"
        + "AFEFE7FDFD2CBB00089969B71D79FB9F7FFF20FFBFF3FF50DDBD7F061C58F265CD9F469D5AF66DDDBF871E5F9CFF7FF7FFFC3FF9FFE45FFF4719242C"
        + "B34E6E9D68A6A3D7DAC426DEFE3CFAF7FFFBFE7FFBFFDFFFFFFCFFFE6FFFF4BFFF9FFFFA3FFFD3FFFF53FFFD5FFFFB3FFFEB7FFFDAFFFFB7FFFF73FF"
        + "FEEFFFFDEFFFFEBFFFFBFFFFFD9FFFFDBFFFEBFFFFE0FFFFEEFFFFC3FFFF8BFFFF1FFFFE4FFFEE7FFFB1FFFF97FFFD9FFFFCDFFFF9FFFFFBFFFFDAFF"
        + "FEEFFFF4FFFFB7FFFEE7FFFE8FFFFD3FFFDEFFFFD5FFFEEFFFFBDFFFFE1FFFDFFFFF7FFFFF5FFFFECFFFF07FFF87FFFE0FFFF17FFFEDFFFF87FFFF77"
        + "FFFEFFFFEAFFFF8BFFFE3FFFF93FFFF87FFFCBFFFF37FFFF1FFFFF83FFFFE1FFFEBFFFE3FFFF3FFFFF2FFFFA3FFFFD9FFFFF17FFFFC7FFFFF27FFFFD"
        + "EFFFFFBFFFFFF2FFFFF8FFFFFB7FFF97FFF8FFFFFE6FFFFFC1FFFFF87FFFFE7FFFFFC5FFFFE5FFFE4FFFF2FFFFFD1FFFFF4FFFFFFEFFFFFE3FFFFFC9"
        + "FFFFF97FFFB3FFFFCFFFFB7FFFCDFFFF4FFFF9FFFFD1FFFFCFFFFEAFFFFAFFFFFDDFFFFEFFFFFF4FFFFF5FFFFFABFFFFA7FFFFD7FFFFF9BFFFFECFFF"
        + "FFB7FFFFF3FFFFFE8FFFFFD3FFFFFABFFFFF5FFFFFFF7FFFFECFFFFFDBFFFFFBBFFFFF7FFFFFF0FFFFFBBF";

    // RFC 7541, C.5: three answers on one connection whose table holds 256 bytes, so that the later ones evict.
    private static readonly string[] Plain =
    [
        "3fe101 4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "4803333037c1c0bf",
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b42"
            + "5a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
    ];

    // C.6: the same with Huffman codes.
    private static readonly string[] Coded =
    [
        "3fe101 488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f"
            + "9587316065c003ed4ee5b1063d5007",
    ];

    private static readonly string[][] Answers =
    [
        [":status: 302", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT", "location: https://www.example.com"],
        [":status: 307", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT", "location: https://www.example.com"],
        [
            ":status: 200", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:22 GMT", "location: https://www.example.com",
            "content-encoding: gzip", "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
        ],
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Decode_ExamplesOfTheRfc_GiveItsFields(bool huffman)
    {
        HpackDecoder decoder = new();
        string[] blocks = huffman ? Coded : Plain;
        for (int i = 0; i < blocks.Length; i++)
        {
            Assert.Equal(Answers[i], Decode(decoder, blocks[i]));
        }
    }

    [Fact]
    public void Huffman_EveryByte_ComesBack()
    {
        byte[] encoded = Convert.FromHexString(EveryByte);
        byte[] decoded = new byte[Huffman.MaxDecodedLength(encoded.Length)];
        Assert.Equal(256, Huffman.Decode(encoded, decoded));
        Assert.Equal(Enumerable.Range(0, 256).Select(value => (byte)value), decoded[..256]);
    }

    [Theory]
    [InlineData("FF")] // eight bits of padding
    [InlineData("00 FF FF FF FF")] // '0', and an end of string inside
    [InlineData("F0")] // padding that is not all ones
    [InlineData("FF FF FF FC")] // the end of string itself, with padding
    public void Huffman_PaddingOrEndOfString_IsRefused(string hex) =>
        Assert.Equal(-1, Huffman.Decode(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), new byte[64]));

    [Theory]
    [InlineData("80")] // index 0
    [InlineData("BE")] // index 62: the table is empty
    [InlineData("FFFFFFFFFFFF7F")] // a number without end
    [InlineData("FF")] // cut in a number
    [InlineData("0003")] // cut in a string
    [InlineData("00037F61")]
    [InlineData("3FE21F")] // a table of 4097
    [InlineData("8820")] // a table size that comes too late
    [InlineData("0081FF00")] // a name that is no Huffman code
    public void Decode_MalformedBlock_IsACompressionError(string hex) =>
        Assert.Equal(Http2Error.CompressionError, Assert.Throws<Http2Exception>(() => Decode(new HpackDecoder(), hex)).Error);

    [Fact]
    public void Decode_AfterOurLimitOfZeroHolds_RemembersNothing()
    {
        HpackDecoder decoder = new();
        Assert.Equal(["a: b"], Decode(decoder, "4001610162"));
        Assert.Equal(["a: b"], Decode(decoder, "BE"));
        decoder.LimitTable(0);
        Assert.Equal(["a: b"], Decode(decoder, "20 4001610162")); // allowed, and forgotten at once
        Assert.Throws<Http2Exception>(() => Decode(decoder, "BE"));
        Assert.Throws<Http2Exception>(() => Decode(decoder, "21"));
    }

    [Fact]
    public void Decode_FieldLargerThanTheTable_EmptiesIt()
    {
        HpackDecoder decoder = new();
        string large = Convert.ToHexString(Encoding.ASCII.GetBytes(new string('x', 100)));
        Assert.Equal(["a: b"], Decode(decoder, "3F21 4001610162")); // a table of 64
        Assert.Equal(2, Decode(decoder, "BE 40016164" + large).Length);
        Assert.Throws<Http2Exception>(() => Decode(decoder, "BE"));
    }

    [Fact]
    public void Add_MoreThanTheLimit_KeepsWhatFitsAndSaysSo()
    {
        HeaderList list = new(maxBytes: 100);
        list.Add("name"u8, "value"u8);
        Assert.False(list.IsTooLarge);
        list.Add("name"u8, new byte[60]);
        Assert.True(list.IsTooLarge);
        Assert.Equal(1, list.Count);
        list.Clear();
        Assert.False(list.IsTooLarge);
    }

    private static string[] Decode(HpackDecoder decoder, string hex)
    {
        HeaderList list = new(16 * 1024);
        decoder.Decode(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), list);
        List<string> fields = [];
        foreach (HeaderList.Field field in list)
        {
            fields.Add($"{Encoding.Latin1.GetString(field.Name)}: {Encoding.Latin1.GetString(field.Value)}");
        }

        return [.. fields];
    }
}
