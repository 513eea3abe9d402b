using System.Runtime.InteropServices;

namespace NodeAgent.Sampling.Clock;

/// <summary>
/// struct __kernel_timex of 64-bit Linux (include/uapi/linux/timex.h), 208 bytes, as adjtimex(2) fills it.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimexReading
{
    /// <summary>STA_UNSYNC: nobody disciplines the clock.</summary>
    public const int StatusUnsynchronised = 0x0040;

    /// <summary>STA_NANO: offset and jitter are nanoseconds, else microseconds.</summary>
    public const int StatusNanoseconds = 0x2000;

    /// <summary>TIME_ERROR: what the call returns while the clock is not synchronised.</summary>
    public const int StateError = 5;

    public uint Modes;
    public long Offset;
    public long Frequency;
    public long MaxErrorMicroseconds;
    public long EstimatedErrorMicroseconds;
    public int Status;
    public long TimeConstant;
    public long PrecisionMicroseconds;
    public long Tolerance;
    public long TimeSeconds;
    public long TimeFraction;
    public long TickMicroseconds;
    public long PpsFrequency;
    public long PpsJitter;
    public int PpsShift;
    public long PpsStability;
    public long PpsJitterCount;
    public long PpsCalibrationCount;
    public long PpsErrorCount;
    public long PpsStabilityCount;
    public int TaiSeconds;
    private Reserved _reserved;

    [System.Runtime.CompilerServices.InlineArray(11)]
    private struct Reserved
    {
        private int _first;
    }
}
