using System.Runtime.CompilerServices;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Nvml;

namespace NodeAgent.Agent.Gpu.Reader;

// Processes and MIG devices.
internal sealed unsafe partial class GpuDevice
{
    private void ReadProcesses()
    {
        if (!Wants(NvmlCall.DeviceGetComputeProcesses))
        {
            return;
        }

        NvmlReturn result = _library.GetProcesses(NvmlCall.DeviceGetComputeProcesses, Handle, _processes, out int count);
        if (result == NvmlReturn.InsufficientSize)
        {
            Set(GpuColumns.ProcessCount, count); // more than are named; the number itself is known
            return;
        }

        if (!Got(NvmlCall.DeviceGetComputeProcesses, result))
        {
            _block->ProcessCount = 0;
            return;
        }

        Set(GpuColumns.ProcessCount, count);
        int used = count == 0 ? 0 : ReadProcessUtilization();
        _block->ProcessCount = count;
        for (int i = 0; i < count; i++)
        {
            _block->Processes[i] = new GpuProcess { Pid = _processes[i].Pid, UsedBytes = _processes[i].UsedBytes, SmPercent = PercentOf(_processes[i].Pid, used) };
        }
    }

    private int ReadProcessUtilization()
    {
        if (!Wants(NvmlCall.DeviceGetProcessUtilization))
        {
            return 0;
        }

        // NotFound: nothing ran since then, which is not an absence to remember.
        NvmlReturn result = _library.GetProcessUtilization(Handle, _utilization, _utilizationSinceUs, out int count);
        _has.Learn((int)NvmlCall.DeviceGetProcessUtilization, result);
        if (result != NvmlReturn.Success)
        {
            return 0;
        }

        for (int i = 0; i < count; i++)
        {
            _utilizationSinceUs = Math.Max(_utilizationSinceUs, _utilization[i].TimestampUs);
        }

        return count;
    }

    private uint PercentOf(uint pid, int samples)
    {
        for (int i = 0; i < samples; i++)
        {
            if (_utilization[i].Pid == pid)
            {
                return _utilization[i].Sm;
            }
        }

        return samples == 0 ? uint.MaxValue : 0;
    }

    private void OpenInstances()
    {
        if (_library.Get(NvmlCall.DeviceGetMigMode, Handle, out _migMode, out uint _) != NvmlReturn.Success || _migMode == 0)
        {
            _migMode = 0;
            _block->InstanceCount = 0;
            return;
        }

        int count = 0;
        for (uint index = 0; index < GpuBlock.MostInstances; index++)
        {
            if (_library.GetMigHandle(Handle, index, out nint mig) == NvmlReturn.Success)
            {
                _instances[count] = new MigDevice(_library, Handle, mig);
                _instances[count].Identify(ref _block->Instances[count]);
                count++;
            }
        }

        _block->InstanceCount = count;
    }

    private void CloseInstances()
    {
        foreach (MigDevice? instance in _instances)
        {
            instance?.Dispose();
        }
    }

    // Not every driver sends the MIG event; to look costs two calls.
    private void CheckLayout()
    {
        if (!Wants(NvmlCall.DeviceGetMigMode) || !Got(NvmlCall.DeviceGetMigMode, _library.Get(NvmlCall.DeviceGetMigMode, Handle, out uint mode, out uint _)))
        {
            return;
        }

        int count = 0;
        for (uint index = 0; mode != 0 && index < GpuBlock.MostInstances; index++)
        {
            count += _library.GetMigHandle(Handle, index, out _) == NvmlReturn.Success ? 1 : 0;
        }

        MigChanged = mode != _migMode || count != _block->InstanceCount;
    }

    private void ReadInstances()
    {
        for (int i = 0; i < _block->InstanceCount && !MigChanged && State == GpuState.Answering; i++)
        {
            _instances[i].Read(ref _block->Instances[i]);
        }
    }
}
