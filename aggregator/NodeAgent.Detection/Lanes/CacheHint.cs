using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace NodeAgent.Detection.Lanes;

/// <summary>
/// Asks the processor for memory that will be wanted soon. The state of 400,000 series fits no cache, and a sample's work is short: without the
/// hint a third of a lane's time is waiting. It never faults and changes nothing but time; where there is no such instruction it does nothing.
/// </summary>
internal static unsafe class CacheHint
{
    private const int LineBytes = 64;

    /// <summary>The lines of some elements of an array.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Fetch<T>(T[] array, int first, int count)
        where T : unmanaged
    {
        if (!Sse.IsSupported || (uint)first >= (uint)array.Length)
        {
            return;
        }

        // The collector may move the array in between: then the wrong lines are fetched, which costs time once.
        byte* at = (byte*)Unsafe.AsPointer(ref array[first]);
        for (int offset = 0; offset < count * sizeof(T); offset += LineBytes)
        {
            Sse.Prefetch0(at + offset);
        }
    }
}
