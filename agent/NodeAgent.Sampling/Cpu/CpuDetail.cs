namespace NodeAgent.Sampling.Cpu;

/// <summary>Whether processor series are kept for each processor.</summary>
public enum CpuDetail
{
    /// <summary>Per processor up to <see cref="CpuDetails.MostCoresInDetail"/> of them, else summed.</summary>
    Automatic = 0,

    /// <summary>Always one set of series per processor.</summary>
    PerCore = 1,

    /// <summary>Always one set with cpu="all".</summary>
    Summed = 2,
}

/// <summary>Constants of the processor samplers.</summary>
internal static class CpuDetails
{
    /// <summary>A 256-thread host would have 2,560 series of time alone; per core pays on small hosts and on request.</summary>
    public const int MostCoresInDetail = 16;

    /// <summary>USER_HZ: what the kernel divides times by towards programs; 100 on every architecture .NET runs on.</summary>
    public const double UserHz = 100;
}
