using System.Text;

namespace NodeAgent.Nvml.Tests;

public sealed class NvmlLibraryTests
{
    [Fact]
    public async Task Calls_OfTheCurrentLibrary_GoToTheNewestExports()
    {
        using FakeLibrary fake = await FakeLibrary.LoadAsync();

        Assert.Equal("nvmlInitWithFlags", fake.Nvml.ExportOf(NvmlCall.Init));
        Assert.Equal("nvmlDeviceGetComputeRunningProcesses_v3", fake.Nvml.ExportOf(NvmlCall.DeviceGetComputeProcesses));
        Assert.Equal("nvmlEventSetWait_v2", fake.Nvml.ExportOf(NvmlCall.EventSetWait));
        Assert.Equal("nvmlDeviceGetCurrentClocksEventReasons", fake.Nvml.ExportOf(NvmlCall.DeviceGetClocksEventReasons));
    }

    [Fact]
    public async Task Calls_OfAnOldLibrary_FallBackAndWhatIsMissingAnswersSo()
    {
        using FakeLibrary fake = await FakeLibrary.LoadAsync(old: true);
        nint device = fake.Open();

        Assert.Equal("nvmlInit_v2", fake.Nvml.ExportOf(NvmlCall.Init));
        Assert.Equal("nvmlDeviceGetComputeRunningProcesses", fake.Nvml.ExportOf(NvmlCall.DeviceGetComputeProcesses));
        Assert.Equal("nvmlEventSetWait", fake.Nvml.ExportOf(NvmlCall.EventSetWait));
        NvmlTemperature temperature = new() { Version = NvmlTemperature.CurrentVersion };
        Assert.Equal(NvmlReturn.FunctionNotFound, fake.Nvml.GetStruct(NvmlCall.DeviceGetTemperatureV, device, ref temperature));
        Assert.Equal(NvmlReturn.Success, fake.Nvml.Get(NvmlCall.DeviceGetTemperature, device, 0, out uint celsius));
        Assert.InRange(celsius, 20u, 100u);
        fake.Nvml.Shutdown();
    }

    [Fact]
    public async Task Processes_OfAnOldLibrary_AreWidenedWithoutInstances()
    {
        using FakeLibrary fake = await FakeLibrary.LoadAsync(old: true);
        fake.Gpus.Set("gpu.0.proc.0", "11,1048576,40");
        fake.Gpus.Set("gpu.0.proc.1", "12,2097152,2");
        NvmlProcess[] processes = new NvmlProcess[8];

        Assert.Equal(NvmlReturn.Success, fake.Nvml.GetProcesses(NvmlCall.DeviceGetComputeProcesses, fake.Open(), processes, out int count));

        Assert.Equal(2, count);
        Assert.Equal([(11u, 1048576UL), (12u, 2097152UL)], processes.Take(2).Select(process => (process.Pid, process.UsedBytes)));
        Assert.All(processes.Take(2), process => Assert.Equal(uint.MaxValue, process.GpuInstance));
        fake.Nvml.Shutdown();
    }

    [Fact]
    public async Task Processes_MoreThanFit_TellHowMany()
    {
        using FakeLibrary fake = await FakeLibrary.LoadAsync();
        fake.Gpus.Set("gpu.0.proc.0", "11,1,1");
        fake.Gpus.Set("gpu.0.proc.1", "12,1,1");

        Assert.Equal(NvmlReturn.InsufficientSize, fake.Nvml.GetProcesses(NvmlCall.DeviceGetComputeProcesses, fake.Open(), new NvmlProcess[1], out int count));
        Assert.Equal(2, count);
        fake.Nvml.Shutdown();
    }

    [Fact]
    public async Task Structs_WithAWrongVersion_AreRefusedWithTheirOwnCode()
    {
        using FakeLibrary fake = await FakeLibrary.LoadAsync();
        NvmlMemoryV2 memory = new() { Version = NvmlMemoryV2.CurrentVersion + 1 };

        Assert.Equal(NvmlReturn.ArgumentVersionMismatch, fake.Nvml.GetStruct(NvmlCall.DeviceGetMemoryInfoV2, fake.Open(), ref memory));
        memory.Version = NvmlMemoryV2.CurrentVersion;
        Assert.Equal(NvmlReturn.Success, fake.Nvml.GetStruct(NvmlCall.DeviceGetMemoryInfoV2, fake.Open(), ref memory));
        Assert.Equal(memory.Total, memory.Used + memory.Free + memory.Reserved);
        fake.Nvml.Shutdown();
        fake.Nvml.Shutdown();
    }

    [Fact]
    public async Task Fields_InOneCall_EachHaveTheirResultAndLatency()
    {
        using FakeLibrary fake = await FakeLibrary.LoadAsync();
        fake.Gpus.Set("gpu.0.field.82", "unsupported");
        fake.Gpus.Set("gpu.0.field_latency_us", "17");
        NvmlFieldValue[] fields = [new() { FieldId = NvmlField.PowerInstant }, new() { FieldId = NvmlField.MemoryTemperature }, new() { FieldId = NvmlField.SlowdownMargin }];

        Assert.Equal(NvmlReturn.Success, fake.Nvml.GetFieldValues(fake.Open(), fields));

        Assert.Equal([NvmlReturn.Success, NvmlReturn.NotSupported, NvmlReturn.Success], fields.Select(field => field.Return));
        Assert.InRange(fields[0].Value, 10_000, 1_000_000);
        Assert.Equal(-2, fields[2].Value);
        Assert.All(fields, field => Assert.Equal(17, field.LatencyUs));
        fake.Nvml.Shutdown();
    }

    [Fact]
    public async Task Events_AreDeliveredOnceAndAWaitWithoutOneTimesOut()
    {
        using FakeLibrary fake = await FakeLibrary.LoadAsync();
        nint device = fake.Open();
        Assert.Equal(NvmlReturn.Success, fake.Nvml.Create(NvmlCall.EventSetCreate, out nint set));
        Assert.Equal(NvmlReturn.Success, fake.Nvml.RegisterEvents(device, NvmlEventTypes.Xid, set));

        fake.Gpus.Tell(0, (int)NvmlEventTypes.Xid, 79);
        Assert.Equal(NvmlReturn.Success, fake.Nvml.WaitForEvent(set, out NvmlEventData data, 2000));
        Assert.Equal((device, NvmlEventTypes.Xid, 79UL), (data.Device, data.Type, data.Data));
        Assert.Equal(NvmlReturn.Timeout, fake.Nvml.WaitForEvent(set, out _, 20));
        fake.Nvml.Free(NvmlCall.EventSetFree, set);
        fake.Nvml.Shutdown();
    }

    [Fact]
    public async Task Gpm_TwoSamples_GiveWhatWasAskedForAndNoMore()
    {
        using FakeLibrary fake = await FakeLibrary.LoadAsync();
        fake.Gpus.Set("gpu.0.busy_ratio", "0.5");
        nint device = fake.Open();
        using NvmlGpmRequest request = new(2, 10, 999);
        Assert.Equal(NvmlReturn.Success, fake.Nvml.Create(NvmlCall.GpmSampleAlloc, out nint first));
        Assert.Equal(NvmlReturn.Success, fake.Nvml.Create(NvmlCall.GpmSampleAlloc, out nint second));

        fake.Nvml.TakeGpmSample(device, null, first);
        Assert.Equal(NvmlReturn.InvalidArgument, TakeAndGet(fake, device, request, first, second)); // too close together
        fake.Nvml.Create(NvmlCall.EventSetCreate, out nint set);
        fake.Nvml.WaitForEvent(set, out _, 120);
        Assert.Equal(NvmlReturn.Success, TakeAndGet(fake, device, request, first, second));

        Assert.Equal([NvmlReturn.Success, NvmlReturn.Success, NvmlReturn.NotSupported], request.Results.ToArray().Select(metric => metric.Return));
        Assert.Equal(45, request.Results[0].Value, 3);
        fake.Nvml.Shutdown();
    }

    [Fact]
    public async Task Record_AfterACall_ShowsNoneUnderWayAndCounts()
    {
        using FakeLibrary fake = await FakeLibrary.LoadAsync();
        nint device = fake.Open();
        long before = fake.Record.Returned;
        fake.Nvml.CurrentGpu = 3;

        fake.Nvml.Get(NvmlCall.DeviceGetPerformanceState, device, out _);

        Assert.Equal((0, 3, before + 1), (fake.Record.Call, fake.Record.Gpu, fake.Record.Returned));
        Assert.True(fake.Nvml.TakeSlowest(NvmlCall.DeviceGetPerformanceState) > TimeSpan.Zero);
        Assert.Equal(TimeSpan.Zero, fake.Nvml.TakeSlowest(NvmlCall.DeviceGetPerformanceState));
        fake.Nvml.Shutdown();
    }

    [Fact]
    public async Task Handles_OfBeforeAReset_AnswerThatTheGpuIsLost()
    {
        using FakeLibrary fake = await FakeLibrary.LoadAsync();
        nint device = fake.Open();

        fake.Gpus.Set("gpu.0.epoch", "1");

        NvmlReturn result = fake.Nvml.GetText(NvmlCall.DeviceGetUuid, device, new byte[96]);
        Assert.True(result.IsLost(), result.Describe());
        Assert.Equal(NvmlReturn.Success, fake.Nvml.GetHandle(0, out nint again));
        byte[] uuid = new byte[96];
        Assert.Equal(NvmlReturn.Success, fake.Nvml.GetText(NvmlCall.DeviceGetUuid, again, uuid));
        Assert.StartsWith("GPU-fa4e0000", Encoding.ASCII.GetString(uuid));
        fake.Nvml.Shutdown();
    }

    [Fact]
    public void TryLoad_OfAFileThatIsNoLibrary_SaysSo()
    {
        string file = Path.GetTempFileName();
        try
        {
            unsafe
            {
                NvmlCallRecord record = default;
                Assert.Null(NvmlLibrary.TryLoad(file, &record, out string problem));
                Assert.Contains(file, problem);
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Returns_AllOfTheHeader_HaveWordsOfTheirOwn()
    {
        NvmlReturn[] all = Enum.GetValues<NvmlReturn>();

        Assert.Equal(32, all.Length);
        Assert.Equal(all.Length, all.Select(code => code.Describe()).Distinct().Count());
        Assert.Equal("GPU lost (15)", NvmlReturn.GpuIsLost.Describe());
        Assert.Equal("unknown error (77)", ((NvmlReturn)77).Describe());
    }

    private static NvmlReturn TakeAndGet(FakeLibrary fake, nint device, NvmlGpmRequest request, nint first, nint second)
    {
        Assert.Equal(NvmlReturn.Success, fake.Nvml.TakeGpmSample(device, null, second));
        return fake.Nvml.GetGpmMetrics(request, first, second);
    }
}
