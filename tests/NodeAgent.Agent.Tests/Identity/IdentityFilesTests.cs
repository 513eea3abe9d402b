using NodeAgent.Agent.Identity;
using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Agent.Tests.Identity;

public sealed class IdentityFilesTests
{
    private const string Directory = "/var/lib/nodeagent/identity";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TryInstall_CrashAtEveryCall_LeavesTheOldOneOrTheNewOneWhole(bool isPowerCut)
    {
        bool isDone = false;
        for (int k = 1; !isDone; k++)
        {
            Assert.InRange(k, 1, 100);
            SimulatedDisk disk = new(k);
            IdentityFiles files = new(disk, Directory);
            Assert.True(files.TryWriteNextKey("old key", out string problem), problem);
            Assert.True(files.TryInstall("old identity", "old roots", out problem), problem);
            disk.Fault = new DiskFault(DiskFaultKind.Error, disk.Calls + k, Errno.InputOutput, int.MaxValue);
            isDone = files.TryWriteNextKey("new key", out _) && files.TryInstall("new identity", "new roots", out _);
            disk.Fault = null;
            if (isPowerCut)
            {
                disk.CutPower();
            }
            else
            {
                disk.KillProcess();
            }

            string? identity = files.ReadIdentity(out problem);
            string? roots = files.ReadRoots(out string rootsProblem);
            Assert.True(identity is "old identity" or "new identity", $"call {k}: {identity} {problem}");
            Assert.True(roots is "old roots" or "new roots", $"call {k}: {roots} {rootsProblem}");
            Assert.False(identity == "new identity" && roots == "old roots", $"call {k}: an identity whose aggregator may not be believed");
            Assert.True(!isDone || (identity, roots) == ("new identity", "new roots"));
            Assert.True(files.TryInstall("next identity", "next roots", out problem), $"call {k}: {problem}"); // what a crash left is in nobody's way
        }
    }

    [Fact]
    public void Read_NothingThere_IsNullWithoutAProblem()
    {
        IdentityFiles files = new(new SimulatedDisk(1), Directory);
        Assert.Null(files.ReadIdentity(out string problem));
        Assert.Equal("", problem);
    }

    [Fact]
    public void Read_DiskFailsOrTooMuch_IsAProblemWithTheFilesName()
    {
        SimulatedDisk disk = new(1);
        disk.PutFile($"{Directory}/identity.pem", new byte[70_000]);
        IdentityFiles files = new(disk, Directory);
        Assert.Null(files.ReadIdentity(out string problem));
        Assert.Contains("identity.pem has more than", problem, StringComparison.Ordinal);
        disk.Fault = new DiskFault(DiskFaultKind.Error, disk.Calls + 1, Errno.AccessDenied);
        Assert.Null(files.ReadIdentity(out problem));
        Assert.Equal($"cannot open {Directory}/identity.pem: EACCES", problem);
    }

    [Fact]
    public void TryWriteNextKey_WriteThatTakesHalf_IsGoneOnWith()
    {
        SimulatedDisk disk = new(1);
        IdentityFiles files = new(disk, Directory);
        disk.Fault = new DiskFault(DiskFaultKind.ShortWrite, 1, 0, 20);
        for (int i = 0; i < 30 && !files.TryWriteNextKey("a key of some length", out _); i++)
        {
        }

        disk.Fault = null;
        Assert.True(files.TryWriteNextKey("a key of some length", out string problem), problem);
        Assert.Equal("a key of some length", files.ReadNextKey(out _));
    }
}
