namespace NodeAgent.Ctl.Connection;

/// <summary>How to reach the aggregator and as whom; resolved once, with the source of each part for <c>doctor</c> and <c>-v</c>.</summary>
internal sealed record ConnectionSettings
{
    public required ServerAddress Server { get; init; }

    /// <summary>PEM file with the fleet's CA. Null: the system's trust store.</summary>
    public required string? CaPath { get; init; }

    /// <summary>PEM file with the caller's certificate. Null: no identity.</summary>
    public required string? CertificatePath { get; init; }

    /// <summary>PEM file with its key.</summary>
    public required string? KeyPath { get; init; }

    /// <summary>For one answer; a stream has none.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Where the server's address came from: "--server", "NODECTL_SERVER", "profile lab", "default".</summary>
    public required string ServerSource { get; init; }

    /// <summary>Profile in use. Null: none.</summary>
    public required string? Profile { get; init; }

    /// <summary>The configuration file, whether or not it exists.</summary>
    public required string ConfigPath { get; init; }

    public required bool ConfigFound { get; init; }
}
