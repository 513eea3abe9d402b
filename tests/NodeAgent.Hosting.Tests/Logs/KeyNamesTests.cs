using NodeAgent.Hosting.Logs;

namespace NodeAgent.Hosting.Tests.Logs;

public sealed class KeyNamesTests
{
    [Theory]
    [InlineData("Peer", "peer")]
    [InlineData("PeerAddress", "peer_address")]
    [InlineData("peerAddress", "peer_address")]
    [InlineData("GPUCount", "gpu_count")]
    [InlineData("Ipv6Address", "ipv6_address")]
    [InlineData("XidCode2Text", "xid_code2_text")]
    [InlineData("already_snake", "already_snake")]
    [InlineData("weird key=\"\n", "weird_key")]
    [InlineData("", "_")]
    [InlineData("0", "0")]
    [InlineData("Id", "id_")]
    [InlineData("Msg", "msg_")]
    [InlineData("ErrorType", "error_type_")]
    public void ToKey_AParameterName_IsSnakeCaseAndNeverAReservedKey(string name, string key) =>
        Assert.Equal(key, KeyNames.ToKey(name));
}
