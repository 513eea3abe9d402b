namespace NodeAgent.Contracts.Metrics;

/// <summary>Units as Prometheus spells them; base units only (seconds, not milliseconds).</summary>
public static class Unit
{
    /// <summary>A plain count, or a value without a dimension.</summary>
    public const string None = "";

    public const string Seconds = "seconds";
    public const string Bytes = "bytes";
    public const string Hertz = "hertz";
    public const string Celsius = "celsius";
    public const string Joules = "joules";
    public const string Watts = "watts";
    public const string Volts = "volts";
    public const string Amperes = "amperes";

    /// <summary>0 to 1.</summary>
    public const string Ratio = "ratio";

    /// <summary>Revolutions per minute; the one non-base unit, because node_exporter's fan metric has it.</summary>
    public const string RevolutionsPerMinute = "rpm";

    public const string BytesPerSecond = "bytes_per_second";
}
