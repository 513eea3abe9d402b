using System.Runtime.InteropServices;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Nvml.Tests;

/// <summary>The fake library, loaded into this process. Only for what neither hangs nor crashes.</summary>
internal sealed class FakeLibrary : IDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly unsafe NvmlCallRecord* _record;

    private unsafe FakeLibrary(DirectoryInfo folder, FakeGpus gpus)
    {
        _folder = folder;
        Gpus = gpus;
        _record = (NvmlCallRecord*)NativeMemory.AllocZeroed((nuint)sizeof(NvmlCallRecord));
        Nvml = NvmlLibrary.TryLoad(gpus.Library, _record, out string problem) ?? throw new InvalidOperationException(problem);
    }

    internal FakeGpus Gpus { get; }

    internal NvmlLibrary Nvml { get; }

    internal unsafe ref NvmlCallRecord Record => ref *_record;

    internal static async Task<FakeLibrary> LoadAsync(int count = 2, bool old = false)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("nvml-");
        FakeGpus? gpus = await FakeGpus.TryCreateAsync(folder.FullName, count, old);
        Assert.SkipWhen(gpus is null, "gcc is not installed, so the fake library cannot be built");
        return new FakeLibrary(folder, gpus!);
    }

    internal nint Open(uint index = 0)
    {
        Assert.Equal(NvmlReturn.Success, Nvml.Init());
        Assert.Equal(NvmlReturn.Success, Nvml.GetHandle(index, out nint device));
        return device;
    }

    public unsafe void Dispose()
    {
        Nvml.Dispose();
        NativeMemory.Free(_record);
        _folder.Delete(recursive: true);
    }
}
