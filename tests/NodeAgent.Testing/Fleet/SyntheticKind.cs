namespace NodeAgent.Testing.Fleet;

/// <summary>How a synthetic series behaves.</summary>
public enum SyntheticKind
{
    /// <summary>Never changes: a limit, a count of cores, a link width.</summary>
    Constant = 0,

    /// <summary>Whole numbers that follow the load: temperature, utilisation, clocks, memory.</summary>
    IntegerGauge = 1,

    /// <summary>Grows with the load and with noise: NVLink, PCIe, network and disk bytes, energy.</summary>
    NoisyCounter = 2,

    /// <summary>Grows once in hours: ECC errors, replays.</summary>
    RareCounter = 3,

    /// <summary>A ratio printed with six decimals, as DCGM does.</summary>
    SixDecimals = 4,

    /// <summary>A ratio with all the bits of a double.</summary>
    FullDouble = 5,

    /// <summary>Three decimals: power from milliwatts, load averages.</summary>
    DecimalGauge = 6,

    /// <summary>Two decimals, growing: processor seconds.</summary>
    DecimalCounter = 7,
}
