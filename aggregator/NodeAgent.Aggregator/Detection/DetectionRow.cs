using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Detection;

/// <summary>One stored row on its way to detection; its buffers are used again.</summary>
internal sealed class DetectionRow(int columns)
{
    internal double[] Values { get; } = new double[columns];

    internal ulong[] Present { get; } = new ulong[(columns + 63) / 64];

    internal SchemaHandle? Schema { get; set; }

    internal long UnixMs { get; set; }

    internal long TakenAt { get; set; }

    internal int Columns => Values.Length;

    internal long Bytes => (Values.Length * 8L) + (Present.Length * 8L) + 96;

    internal bool Has(int column) => (Present[column >> 6] & (1UL << (column & 63))) != 0;
}
