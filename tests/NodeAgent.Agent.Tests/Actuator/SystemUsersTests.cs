using NodeAgent.Agent.Actuator;

namespace NodeAgent.Agent.Tests.Actuator;

public sealed class SystemUsersTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public SystemUsersTests() =>
        File.WriteAllText(_file, "root:x:0:0:root:/root:/bin/sh\nnodeagent:x:997:997::/var/lib/nodeagent:/usr/sbin/nologin\nbroken\nodd:x:-1:1::/:/bin/false\n");

    [Theory]
    [InlineData("nodeagent", 997u)]
    [InlineData("root", 0u)]
    [InlineData("1234", 1234u)]
    [InlineData("nodeage", null)]
    [InlineData("broken", null)]
    [InlineData("odd", null)]
    [InlineData("", null)]
    [InlineData("-1", null)]
    public void Find_ByNameOrNumber_IsThatUserOrNobody(string user, uint? expected) => Assert.Equal(expected, SystemUsers.Find(user, _file));

    [Fact]
    public void Find_NoFile_IsNobody() => Assert.Null(SystemUsers.Find("nodeagent", _file + ".missing"));

    public void Dispose() => File.Delete(_file);
}
