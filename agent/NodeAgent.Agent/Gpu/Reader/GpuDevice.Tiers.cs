using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Nvml;

namespace NodeAgent.Agent.Gpu.Reader;

// What each tier reads. PCIe throughput by nvmlDeviceGetPcieThroughput is not here and must never be: it measures for 20 ms a direction.
internal sealed unsafe partial class GpuDevice
{
    private const double Megahertz = 1e6;
    private const double Percent = 0.01;
    private const uint Dram = 2; // nvmlMemoryLocation_t
    private const uint Sram = 7;

    private static readonly uint[] Locations = [Dram, Sram];
    private static readonly int TimedDetail = GpuFields.TimedDetail; // asked once: GpuFields makes its arrays anew each time
    private static readonly int TimedSlow = GpuFields.TimedSlow;

    private void ReadFast()
    {
        ReadFields(GpuTier.Fast);
        ReadUtilization();
        ReadMemory();
        ReadClock(NvmlCall.DeviceGetClockInfo, 1, GpuColumns.SmClock);
        ReadClock(NvmlCall.DeviceGetClockInfo, 2, GpuColumns.MemoryClock);
        ReadTemperature();
        if (Wants(NvmlCall.DeviceGetClocksEventReasons)
            && Got(NvmlCall.DeviceGetClocksEventReasons, _library.GetLarge(NvmlCall.DeviceGetClocksEventReasons, Handle, out ulong reasons)))
        {
            for (int bit = 0; bit < GpuColumns.ThrottleReasons; bit++)
            {
                Set(GpuColumns.FirstThrottle + bit, (reasons >> bit) & 1);
            }
        }
    }

    private void ReadDetail()
    {
        ReadFields(GpuTier.Detail);
        ReadClock(NvmlCall.DeviceGetClockInfo, 0, GpuColumns.GraphicsClock);
        ReadClock(NvmlCall.DeviceGetClockInfo, 3, GpuColumns.VideoClock);
        ReadNumber(NvmlCall.DeviceGetPerformanceState, GpuColumns.PState);
        ReadNumber(NvmlCall.DeviceGetFanSpeed, GpuColumns.FanSpeed, Percent);
        ReadEngine(NvmlCall.DeviceGetEncoderUtilization, GpuColumns.Encoder);
        ReadEngine(NvmlCall.DeviceGetDecoderUtilization, GpuColumns.Decoder);
        ReadEngine(NvmlCall.DeviceGetJpgUtilization, GpuColumns.Jpeg);
        ReadEngine(NvmlCall.DeviceGetOfaUtilization, GpuColumns.OpticalFlow);
        ReadNumber(NvmlCall.DeviceGetCurrentPcieGeneration, GpuColumns.PcieGeneration);
        ReadNumber(NvmlCall.DeviceGetCurrentPcieWidth, GpuColumns.PcieWidth);
        NvmlMarginTemperature margin = new() { Version = NvmlMarginTemperature.CurrentVersion };
        if (ReadStruct(NvmlCall.DeviceGetMarginTemperature, ref margin))
        {
            Set(GpuColumns.Margin, margin.Celsius);
        }

        ReadMemoryErrors();
        ReadActivity();
        ReadProcesses();
        CheckLayout();
        ReadInstances();
    }

    private void ReadSlow()
    {
        ReadFields(GpuTier.Slow);
        for (uint clock = 0; clock < 4; clock++)
        {
            ReadClock(NvmlCall.DeviceGetMaxClockInfo, clock, GpuColumns.FirstMaxClock + (int)clock);
        }

        ReadNumber(NvmlCall.DeviceGetMaxPcieGeneration, GpuColumns.PcieGenerationMax);
        ReadNumber(NvmlCall.DeviceGetMaxPcieWidth, GpuColumns.PcieWidthMax);
        ReadNumber(NvmlCall.DeviceGetPersistenceMode, GpuColumns.Persistence);
        ReadNumber(NvmlCall.DeviceGetComputeMode, GpuColumns.Compute);
        ReadBar1();
        ReadSram();
        ReadRemapping();
        ReadFabric();
        if (Wants(NvmlCall.DeviceGetMigMode) && Got(NvmlCall.DeviceGetMigMode, _library.Get(NvmlCall.DeviceGetMigMode, Handle, out uint current, out uint pending)))
        {
            Set(GpuColumns.MigCurrent, current);
            Set(GpuColumns.MigPending, pending);
            Set(GpuColumns.MigCount, _block->InstanceCount);
        }

        ReportFieldLatencies();
    }

    private void ReadFields(GpuTier tier)
    {
        FieldBatch batch = _fields[(int)tier];
        if (!Wants(NvmlCall.DeviceGetFieldValues))
        {
            return;
        }

        NvmlReturn result = batch.Read(_library, Handle);
        if (result == NvmlReturn.NotSupported || !Got(NvmlCall.DeviceGetFieldValues, result))
        {
            return;
        }

        for (int i = 0; i < batch.AnswerCount; i++)
        {
            if (batch.TryTake(i, out int column, out double value, out NvmlReturn answer))
            {
                Set(column, value);
            }
            else if (answer.IsLost())
            {
                Judge(answer);
                return;
            }
        }
    }

    private void ReadUtilization()
    {
        NvmlUtilization utilization = default;
        if (ReadStruct(NvmlCall.DeviceGetUtilizationRates, ref utilization))
        {
            Set(GpuColumns.Utilization, utilization.Gpu * Percent);
            Set(GpuColumns.MemoryUtilization, utilization.Memory * Percent);
        }
    }

    // The newer call first: the older counts what the driver reserves as used.
    private void ReadMemory()
    {
        NvmlMemoryV2 memory = new() { Version = NvmlMemoryV2.CurrentVersion };
        if (ReadStruct(NvmlCall.DeviceGetMemoryInfoV2, ref memory))
        {
            Set(GpuColumns.MemoryTotal, memory.Total);
            Set(GpuColumns.MemoryUsed, memory.Used);
            Set(GpuColumns.MemoryFree, memory.Free);
            Set(GpuColumns.MemoryReserved, memory.Reserved);
            return;
        }

        NvmlMemory old = default;
        if (!_has.MayHave((int)NvmlCall.DeviceGetMemoryInfoV2) && ReadStruct(NvmlCall.DeviceGetMemoryInfo, ref old))
        {
            Set(GpuColumns.MemoryTotal, old.Total);
            Set(GpuColumns.MemoryUsed, old.Used);
            Set(GpuColumns.MemoryFree, old.Free);
        }
    }

    private void ReadTemperature()
    {
        NvmlTemperature temperature = new() { Version = NvmlTemperature.CurrentVersion };
        if (ReadStruct(NvmlCall.DeviceGetTemperatureV, ref temperature))
        {
            Set(GpuColumns.Temperature, temperature.Celsius);
        }
        else if (!_has.MayHave((int)NvmlCall.DeviceGetTemperatureV) && Wants(NvmlCall.DeviceGetTemperature)
            && Got(NvmlCall.DeviceGetTemperature, _library.Get(NvmlCall.DeviceGetTemperature, Handle, 0, out uint celsius)))
        {
            Set(GpuColumns.Temperature, celsius);
        }
    }

    private void ReadClock(NvmlCall call, uint clock, int column)
    {
        // Not remembered as absent by call: a GPU without a video clock still has the others.
        if (Wants(call) && _library.Get(call, Handle, clock, out uint megahertz) is var result && Judged(result))
        {
            Set(column, megahertz * Megahertz);
        }
    }

    private void ReadMemoryErrors()
    {
        for (int location = 0; location < Locations.Length; location++)
        {
            for (int kind = 0; kind < 4 && Wants(NvmlCall.DeviceGetMemoryErrorCounter); kind++)
            {
                bool uncorrected = (kind & 1) != 0;
                bool aggregate = (kind & 2) != 0;
                if (Judged(_library.GetMemoryErrors(Handle, uncorrected, aggregate, Locations[location], out ulong count)))
                {
                    Set(GpuColumns.Ecc(location + 1, uncorrected, aggregate), count);
                }
            }
        }
    }

    private void ReadActivity()
    {
        if (_gpm is null || State != GpuState.Answering || !_gpm.Take(Handle, null))
        {
            return;
        }

        for (int i = 0; i < _gpm.Results.Length; i++)
        {
            ref readonly NvmlGpmMetric metric = ref _gpm.Results[i];
            if (metric.Return == NvmlReturn.Success && !double.IsNaN(metric.Value))
            {
                Set(GpuColumns.FirstActivity + i, metric.Value * Percent);
            }
        }
    }

    private void ReadBar1()
    {
        NvmlMemory bar1 = default;
        if (ReadStruct(NvmlCall.DeviceGetBar1MemoryInfo, ref bar1))
        {
            Set(GpuColumns.Bar1Total, bar1.Total);
            Set(GpuColumns.Bar1Used, bar1.Used);
        }
    }

    private void ReadSram()
    {
        NvmlSramEcc sram = new() { Version = NvmlSramEcc.CurrentVersion };
        if (ReadStruct(NvmlCall.DeviceGetSramEccErrorStatus, ref sram))
        {
            Set(GpuColumns.SramThreshold, sram.ThresholdExceeded != 0 ? 1 : 0);
        }
    }

    private void ReadRemapping()
    {
        NvmlRowRemapperHistogram banks = default;
        if (ReadStruct(NvmlCall.DeviceGetRowRemapperHistogram, ref banks))
        {
            Set(GpuColumns.FirstRemapBank, banks.Max);
            Set(GpuColumns.FirstRemapBank + 1, banks.High);
            Set(GpuColumns.FirstRemapBank + 2, banks.Partial);
            Set(GpuColumns.FirstRemapBank + 3, banks.Low);
            Set(GpuColumns.FirstRemapBank + 4, banks.None);
        }

        NvmlRepairStatus repair = new() { Version = NvmlRepairStatus.CurrentVersion };
        if (ReadStruct(NvmlCall.DeviceGetRepairStatus, ref repair))
        {
            Set(GpuColumns.FirstRepair, repair.ChannelRepairPending);
            Set(GpuColumns.FirstRepair + 1, repair.TpcRepairPending);
        }
    }

    private void ReadFabric()
    {
        NvmlFabricV3 fabric = new() { Version = NvmlFabricV3.CurrentVersion };
        if (!Wants(NvmlCall.DeviceGetGpuFabricInfo))
        {
            return;
        }

        NvmlReturn result = _library.GetStruct(NvmlCall.DeviceGetGpuFabricInfo, Handle, ref fabric);
        if (result == NvmlReturn.ArgumentVersionMismatch)
        {
            fabric.Version = NvmlFabricV2.CurrentVersion; // the same but for its last byte
            result = _library.GetStruct(NvmlCall.DeviceGetGpuFabricInfo, Handle, ref fabric);
        }

        if (Got(NvmlCall.DeviceGetGpuFabricInfo, result))
        {
            Set(GpuColumns.Fabric, fabric.State);
            Set(GpuColumns.FabricHealth, fabric.HealthMask);
        }
    }

    private void ReadNumber(NvmlCall call, int column, double factor = 1)
    {
        if (Wants(call) && Got(call, _library.Get(call, Handle, out uint value)))
        {
            Set(column, value * factor);
        }
    }

    private void ReadEngine(NvmlCall call, int column)
    {
        if (Wants(call) && Got(call, _library.Get(call, Handle, out uint percent, out uint _)))
        {
            Set(column, percent * Percent);
        }
    }

    private bool ReadStruct<T>(NvmlCall call, ref T value)
        where T : unmanaged => Wants(call) && Got(call, _library.GetStruct(call, Handle, ref value));

    private bool Judged(NvmlReturn result)
    {
        Judge(result);
        return result == NvmlReturn.Success;
    }

    private void ReportFieldLatencies()
    {
        Report(_fields[0], _fields[0].Count);
        Report(_fields[1], TimedDetail);
        Report(_fields[2], TimedSlow);
    }

    private void Report(FieldBatch batch, int timed)
    {
        for (int i = 0; i < timed; i++)
        {
            if (batch.TakeSlowestUs(i) is >= 0 and var slowest)
            {
                Set(batch.LatencyColumn(i, timed), slowest / 1e6);
            }
        }
    }
}
