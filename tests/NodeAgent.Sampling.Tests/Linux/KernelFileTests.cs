using System.Text;
using NodeAgent.Sampling.Linux;
using NodeAgent.Testing;

namespace NodeAgent.Sampling.Tests.Linux;

public sealed class KernelFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void TryOpen_WhereNothingIs_IsNull() => Assert.Null(KernelFile.TryOpen("/nowhere/at/all"));

    [Fact]
    public void TryOpen_OfADirectory_IsNull() => Assert.Null(KernelFile.TryOpen(Path.GetTempPath()));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(100_000)]
    public void Read_OfAnyLength_GivesTheWholeContentEachTime(int length)
    {
        string content = new string('x', Math.Max(0, length - 1)) + (length > 0 ? "\n" : "");
        File.WriteAllText(_path, content);
        foreach (bool wholeInOneRead in new[] { false, true })
        {
            using KernelFile file = KernelFile.TryOpen(_path, initialBytes: 64, wholeInOneRead: wholeInOneRead)!;

            Assert.Equal(content, Encoding.ASCII.GetString(file.Read()));
            Assert.Equal(content, Encoding.ASCII.GetString(file.Read()));
            Assert.False(file.IsTruncated);
        }
    }

    [Fact]
    public void Read_AfterTheContentChanged_GivesTheNew()
    {
        File.WriteAllText(_path, "a longer one\n");
        using KernelFile file = KernelFile.TryOpen(_path)!;
        _ = file.Read();
        File.WriteAllText(_path, "short\n");

        Assert.Equal("short\n", Encoding.ASCII.GetString(file.Read()));
    }

    [Fact]
    public void Read_BeyondTheLimit_IsCutAndSaysSo()
    {
        File.WriteAllText(_path, new string('x', 1000));
        using KernelFile file = KernelFile.TryOpen(_path, initialBytes: 64, maxBytes: 256)!;

        Assert.Equal(256, file.Read().Length);
        Assert.True(file.IsTruncated);
    }

    [Fact]
    public void TryRead_TwoFilesOfOneBuffer_ReadsOneAfterTheOther()
    {
        File.WriteAllText(_path, "1\n");
        KernelBuffer shared = new(16);
        using KernelFile first = KernelFile.TryOpen(_path, shared)!;
        using KernelFile second = KernelFile.TryOpen(_path, shared)!;

        Assert.True(first.TryRead(out ReadOnlySpan<byte> text));
        Assert.True(NumberParser.TryParse(text, out ulong one));
        File.WriteAllText(_path, "2\n");
        Assert.True(second.TryRead(out text));
        Assert.True(NumberParser.TryParse(text, out ulong two));
        Assert.Equal((1UL, 2UL), (one, two));
    }

    [Fact]
    public void TryRead_WhereTheKernelRefuses_IsFalseWithTheErrorNumberAndAllocatesNothing()
    {
        // Reading another process's memory map at address 0 is refused with EIO on every Linux.
        Assert.SkipUnless(File.Exists("/proc/self/mem"), "needs /proc/self/mem of Linux");
        using KernelFile file = KernelFile.TryOpen("/proc/self/mem")!;
        Assert.False(file.TryRead(out _));

        Assert.Equal(0, Allocations.Of(() => file.TryRead(out _)));
        Assert.Equal(5, file.LastErrno);
        Assert.Contains("errno 5", Assert.Throws<IOException>(() => file.Read()).Message, StringComparison.Ordinal);
    }
}
