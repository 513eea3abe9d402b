using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Tests.Hosts;
using NodeAgent.Sampling.Windows;

namespace NodeAgent.Sampling.Tests.Windows;

public sealed class WindowsFilesystemSamplerTests
{
    private const string LabelsOfC = "{device=\"C:\",fstype=\"NTFS\",mountpoint=\"C:\\\\\"}";
    private readonly ScriptedWin32 _win32 = new();
    private readonly WindowsFilesystemSampler _sampler;

    public WindowsFilesystemSamplerTests()
    {
        _sampler = new WindowsFilesystemSampler(_win32);
        _win32.Drives[2] = new ScriptedDrive("NTFS", Size: 500, Free: 200, Available: 150);
    }

    [Fact]
    public void Sample_OfAFixedDrive_SetsItsSizes()
    {
        _win32.Drives[3] = new ScriptedDrive("UDF", 1, 0, 0, Type: 5);
        _win32.Drives[25] = new ScriptedDrive("NTFS", 1, 0, 0, Type: 4);

        Assert.Equal(SampleStatus.Ok, SamplerText.Run(_sampler));

        Assert.Equal(
            [0, 500, 200, 150, 0],
            [.. from name in new[] { "device_error", "size_bytes", "free_bytes", "avail_bytes", "readonly" } select Value(name)!.Value]);
        Assert.Equal(5, _sampler.Series.Count);
    }

    [Fact]
    public void Sample_OfALockedDrive_SaysSoAndGivesNoSizes()
    {
        SamplerText.Run(_sampler);
        int version = _sampler.Series.Version;
        _win32.Drives[2] = _win32.Drives[2] with { IsLocked = true };

        SamplerText.Run(_sampler);

        Assert.Equal(1, Value("device_error"));
        Assert.Null(Value("size_bytes"));
        Assert.Null(Value("readonly"));
        Assert.Equal(version, _sampler.Series.Version);
    }

    [Fact]
    public void Sample_WhenADriveComesOrIsFormatted_BuildsTheColumnsAgain()
    {
        SamplerText.Run(_sampler);
        _win32.Drives[4] = new ScriptedDrive("ReFS", 9, 8, 7, Flags: 0x0008_0000);
        SamplerText.Run(_sampler);
        Assert.Equal(10, _sampler.Series.Count);
        Assert.Equal(1, SamplerText.Value(_sampler, _sampler.Series.Definitions[8].ToString()));

        _win32.Drives[2] = _win32.Drives[2] with { FileSystem = "ReFS" };
        _win32.Drives.Remove(4);
        SamplerText.Run(_sampler);
        Assert.Equal(5, _sampler.Series.Count);
        Assert.Null(Value("size_bytes"));
    }

    private double? Value(string metric) => SamplerText.Value(_sampler, $"node_filesystem_{metric}{LabelsOfC}");
}
