using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Tests.Wire;

public sealed class PercentEncodingTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain ~ text", "plain ~ text")]
    [InlineData("100%", "100%25")]
    [InlineData("a\nb", "a%0Ab")]
    [InlineData("ü", "%C3%BC")]
    [InlineData("\U0001F608!", "%F0%9F%98%88!")]
    public void Encode_Text_IsTheOfficialForm(string text, string encoded)
    {
        Assert.Equal(encoded, PercentEncoding.Encode(text));
        Assert.Equal(text, PercentEncoding.Decode(encoded));
    }

    [Theory]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz%41", "%zzA")]
    [InlineData("50% off", "50% off")]
    [InlineData("%ff", "\uFFFD")]
    [InlineData("%c3%bc%C3%BC", "üü")]
    public void Decode_Malformed_KeepsWhatItCannotRead(string encoded, string text) => Assert.Equal(text, PercentEncoding.Decode(encoded));
}
