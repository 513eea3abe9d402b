using NodeAgent.Detection.Watch;
using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Detection;

/// <summary>Where a schema's columns go: made once per schema, so that a row is worked off without a look-up.</summary>
internal sealed class SchemaPlan(SchemaHandle schema, WatchedNode node, int columns)
{
    internal SchemaHandle Schema => schema;

    internal WatchedNode Node => node;

    internal WatchedRow[] Rows { get; } = new WatchedRow[columns];

    internal bool[] IsCounter { get; } = new bool[columns];

    /// <summary>Of counters: the value before, NaN at first; their rates are what is watched.</summary>
    internal double[] Last { get; } = new double[columns];

    internal WatchedDevice?[] Devices { get; } = new WatchedDevice?[columns];

    internal int[] Slots { get; } = new int[columns];

    /// <summary>The devices that any column feeds.</summary>
    internal List<WatchedDevice> Touched { get; } = [];

    internal long NewestMs { get; set; }

    /// <summary>The aggregator's time at which a row came last.</summary>
    internal long SeenMs { get; set; }
}
