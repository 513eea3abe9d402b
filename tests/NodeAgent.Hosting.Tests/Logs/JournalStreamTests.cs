using System.Net.Sockets;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Hosting.Tests.Logs;

public sealed class JournalStreamTests
{
    [Theory]
    [InlineData(null, false, 0)]
    [InlineData("", false, 0)]
    [InlineData("8", false, 0)]
    [InlineData(":12", false, 0)]
    [InlineData("8:x", false, 0)]
    [InlineData("8:12345", true, 12345)]
    public void TryParseInode_TheVariable_GivesItsSecondNumber(string? text, bool ok, ulong inode)
    {
        Assert.Equal(ok, JournalStream.TryParseInode(text, out ulong parsed));
        Assert.Equal(inode, parsed);
    }

    [Fact]
    public void IsConnected_ADescriptorThatIsTheNamedSocket_IsTrueAndNoOther()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the journal and /proc exist only on Linux");
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        int descriptor = (int)socket.Handle;
        string inode = new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget!["socket:[".Length..^1];

        Assert.True(JournalStream.IsConnected($"8:{inode}", descriptor));
        Assert.False(JournalStream.IsConnected($"8:{inode}1", descriptor));
        Assert.False(JournalStream.IsConnected(null, descriptor));
        Assert.False(JournalStream.IsConnected($"8:{inode}", 1_000_000));
        using FileStream file = File.OpenRead("/proc/self/stat");
        Assert.False(JournalStream.IsConnected($"8:{inode}", (int)file.SafeFileHandle.DangerousGetHandle()));
    }
}
