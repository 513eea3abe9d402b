using System.Runtime.CompilerServices;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Agent.Gpu.Supervision;
using NodeAgent.Nvml;

namespace NodeAgent.Agent.Tests.Gpu.Supervision;

/// <summary>A reader without a process: the test says what it is in the middle of.</summary>
internal sealed class ScriptedReader(SharedReadings shared, int id, TimeProvider time) : IReaderProcess
{
    public int Id => id;

    public bool HasExited { get; private set; }

    public int ExitCode { get; private set; }

    public SharedReadings Shared => shared;

    internal ReaderOrder Order => (ReaderOrder)shared.Head.Order;

    internal IReadOnlyList<string> LeftOut => [.. Enumerable.Range(0, shared.Head.ExcludedCount + shared.Head.ReleasedCount).Select(i => Text(ref shared.Head.LeftOut[i]))];

    public ProcessEvidence Look() => new("D", "nvidia_ioctl", "[<0>] nvidia_ioctl+0x10/0x20");

    public void Dispose()
    {
    }

    /// <summary>GPUs in its list, as a reader writes them.</summary>
    internal void Tell(params string[] busIds)
    {
        for (int i = 0; i < busIds.Length; i++)
        {
            unsafe
            {
                SharedReadings.Write(new Span<byte>(Unsafe.AsPointer(ref shared.Gpu(i).BusId[0]), GpuBlock.BusIdBytes), busIds[i]);
            }
        }

        shared.Head.GpuCount = busIds.Length;
        shared.Head.Status = (int)ReaderStatus.Reading;
    }

    /// <summary>Is in a call from now on.</summary>
    internal void Enter(NvmlCall call, int gpu)
    {
        shared.Head.Call.Gpu = gpu;
        shared.Head.Call.StartedAt = time.GetTimestamp();
        shared.Head.Call.Call = (int)call;
    }

    /// <summary>The call has returned.</summary>
    internal void Return()
    {
        shared.Head.Call.Call = 0;
        shared.Head.Call.Returned++;
        shared.Head.AliveAt = time.GetTimestamp();
    }

    internal void Exit(int code)
    {
        ExitCode = code;
        HasExited = true;
    }

    private static unsafe string Text(ref BusId busId) => GpuOrders.Normalize(SharedReadings.Read(new ReadOnlySpan<byte>(Unsafe.AsPointer(ref busId.Text[0]), GpuBlock.BusIdBytes)));
}
