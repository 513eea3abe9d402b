using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Gpu;

/// <summary>The order to let go, as a person gives it: a file. What the agent holds is what /proc says it holds.</summary>
public sealed class GpuReleaseTests
{
    [Fact]
    public async Task Release_ByFile_FreesTheGpuAndTakesItBackWhenTheFileGoes()
    {
        await using GpuPair bed = await GpuPair.StartAsync(count: 3);
        await bed.WaitForReadingAsync("0", "1", "2");
        string order = Path.Combine(bed.ReleaseDirectory, "release");

        await File.WriteAllTextAsync(order, FakeGpus.BusId(1) + ".0\n", TestContext.Current.CancellationToken);
        await Answered(bed, FakeGpus.BusId(1));
        Assert.Equal(["nvidia0", "nvidia2"], Held(bed));
        await bed.WaitForReadingAsync("0", "2");
        Assert.Equal(3, (await bed.ValuesAsync("gpu_state"))["1"]);

        await File.WriteAllTextAsync(order, "all\n", TestContext.Current.CancellationToken);
        await Answered(bed, "all");
        Assert.Empty(bed.Readers());

        File.Delete(order);
        await bed.WaitForReadingAsync("0", "1", "2");
        Assert.Equal(["nvidia0", "nvidia1", "nvidia2"], Held(bed));
        Assert.False(File.Exists(Path.Combine(bed.ReleaseDirectory, "released")));
        await bed.WaitForEventsAsync("gpu_reacquired");
    }

    private static Task<object> Answered(GpuPair bed, string expected) => Waiting.ForAsync($"the answer {expected}", GpuPair.Patience, async () =>
    {
        string file = Path.Combine(bed.ReleaseDirectory, "released");
        return File.Exists(file) && (await File.ReadAllTextAsync(file)).Trim() == expected ? new object() : null;
    });

    private static string[] Held(GpuPair bed) =>
    [
        .. bed.Readers().SelectMany(reader => Directory.EnumerateFileSystemEntries($"/proc/{reader}/fd"))
            .Select(descriptor => new FileInfo(descriptor).LinkTarget ?? "")
            .Where(target => Path.GetDirectoryName(target) == bed.Gpus.DeviceFolder && Path.GetFileName(target) != "nvidiactl")
            .Select(target => Path.GetFileName(target)).Order(StringComparer.Ordinal),
    ];
}
