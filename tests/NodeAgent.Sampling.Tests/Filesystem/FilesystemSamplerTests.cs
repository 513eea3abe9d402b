using NodeAgent.Sampling.Filesystem;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Tests.Hosts;

namespace NodeAgent.Sampling.Tests.Filesystem;

public sealed class FilesystemSamplerTests : IDisposable
{
    private const string Root = "28 1 259:1 / / rw,relatime shared:1 - ext4 /dev/sda rw\n";
    private readonly ScratchHost _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void Sample_OfThisHostsRoot_AgreesWithTheFramework()
    {
        FilesystemSampler sampler = new(new HostRoots());
        if (SamplerText.Run(sampler) == SampleStatus.NoData)
        {
            Assert.Skip("no mount of this host holds data (all of overlay or tmpfs below /dev and the like)");
        }

        string? size = SamplerText.Values(sampler).Keys.FirstOrDefault(s => s.StartsWith("node_filesystem_size_bytes", StringComparison.Ordinal) && s.EndsWith("mountpoint=\"/\"}", StringComparison.Ordinal));
        if (size is null)
        {
            Assert.Skip("/ is an overlay here");
        }

        DriveInfo drive = new("/");
        Assert.Equal(drive.TotalSize, SamplerText.Value(sampler, size));
        Assert.Equal(120, System.Runtime.CompilerServices.Unsafe.SizeOf<StatFs>());
    }

    [Fact]
    public void Sample_WhenAFileSystemTurnsReadOnly_KeepsItsColumns()
    {
        _host.Write("proc/self/mountinfo", Root);
        FilesystemSampler sampler = new(_host.Roots, new FixedMounts());
        SamplerText.Run(sampler);
        int version = sampler.Series.Version;
        const string ReadOnly = "node_filesystem_readonly{device=\"/dev/sda\",fstype=\"ext4\",mountpoint=\"/\"}";
        Assert.Equal(0, SamplerText.Value(sampler, ReadOnly));

        _host.Write("proc/self/mountinfo", Root.Replace("/dev/sda rw", "/dev/sda ro", StringComparison.Ordinal));
        SamplerText.Run(sampler);

        Assert.Equal(1, SamplerText.Value(sampler, ReadOnly));
        Assert.Equal(version, sampler.Series.Version);
    }

    [Fact]
    public void Sample_InASandboxWithEverythingReadOnly_ShowsTheHostsOwnMounts()
    {
        _host.Write("proc/1/mountinfo", Root);
        _host.Write("proc/self/mountinfo", Root.Replace("rw,relatime", "ro,relatime", StringComparison.Ordinal));
        FilesystemSampler sampler = new(_host.Roots, new FixedMounts());

        SamplerText.Run(sampler);

        Assert.Equal(0, SamplerText.Value(sampler, "node_filesystem_readonly{device=\"/dev/sda\",fstype=\"ext4\",mountpoint=\"/\"}"));
    }

    [Fact]
    public void Sample_WhenAMountComesAndGoes_BuildsTheColumnsAgain()
    {
        _host.Write("proc/self/mountinfo", Root);
        FilesystemSampler sampler = new(_host.Roots, new FixedMounts());
        SamplerText.Run(sampler);
        Assert.Equal(7, sampler.Series.Count);

        _host.Write("proc/self/mountinfo", Root + "41 28 9:0 / /mnt/data rw,noatime - xfs /dev/md0 rw\n");
        SamplerText.Run(sampler);
        Assert.Equal(14, sampler.Series.Count);

        _host.Write("proc/self/mountinfo", Root);
        SamplerText.Run(sampler);
        Assert.Equal(7, sampler.Series.Count);
    }

    [Theory]
    [InlineData("/proc/sys/fs/binfmt_misc", "autofs", true)]
    [InlineData("/dev/shm", "tmpfs", true)]
    [InlineData("/development", "ext4", false)]
    [InlineData("/mnt/data", "xfs", false)]
    [InlineData("/", "overlay", true)]
    [InlineData("/var/lib/docker/volumes/x", "ext4", true)]
    [InlineData("/var/lib/docker", "ext4", false)]
    [InlineData("/var/lib/kubelet/pods/1/volumes/token", "tmpfs", true)]
    [InlineData("/var/lib/kubelet", "ext4", false)]
    [InlineData("/data", "squashfs", true)]
    [InlineData("/data", "lustre", false)]
    public void IsExcluded_OfAMount_FollowsTheRules(string mountPoint, string type, bool isExcluded) =>
        Assert.Equal(isExcluded, MountFilter.IsExcluded(mountPoint, type));

    [Theory]
    [InlineData(@"/a\040b", "/a b")]
    [InlineData(@"/a\011b\012c\134d", "/a\tb\nc\\d")]
    [InlineData(@"/a\04", @"/a\04")]
    [InlineData(@"/a\999", @"/a\999")]
    [InlineData(@"/a\777", @"/a\777")]
    public void Unescape_OfAPath_UndoesWhatTheKernelEscapes(string escaped, string expected) =>
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(MountinfoParser.Unescape(System.Text.Encoding.UTF8.GetBytes(escaped))));
}
