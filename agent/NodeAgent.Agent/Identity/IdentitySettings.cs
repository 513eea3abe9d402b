using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Agent.Identity;

/// <summary>Where an enrolled host keeps its certificate, and how it gets the first one.</summary>
internal sealed class IdentitySettings
{
    /// <summary>The well-known port for enrolment.</summary>
    internal const int DefaultPort = 7444;

    internal string? Directory { get; set; }

    internal string? TokenFile { get; set; }

    internal Uri? Enrolment { get; set; }

    internal static SettingCatalog<IdentitySettings> Settings { get; } = SettingCatalog.Define<IdentitySettings>(s => s
        .OptionalFilePath("directory", o => o.Directory, (o, v) => o.Directory = v,
            "The folder with this host's key, certificate and the fleet's roots, which `nodeagent enrol` fills and renewal keeps fresh. "
            + "Null: identity/ in the service manager's state directory, else /var/lib/nodeagent/identity. Never copy it to another host: both would be shut out.")
        .OptionalFilePath("token_file", o => o.TokenFile, (o, v) => o.TokenFile = v,
            "File with a join token (`nodectl token create`). Where this host has no identity yet, it is enrolled with it at the start. Of no use afterwards; "
            + "it may be deleted.", example: "/etc/nodeagent/join.token")
        .Endpoint("enrolment", o => o.Enrolment, (o, v) => o.Enrolment = v, ["https"],
            $"The aggregator's address for hosts without a certificate. Null: the host of uplink.aggregator, port {DefaultPort}.",
            required: false, example: "https://aggregator.example:7444"));

    /// <summary>The directory that is meant when none is written: the service manager's, or the system's usual one.</summary>
    /// <param name="stateDirectory">STATE_DIRECTORY, which systemd sets for units with StateDirectory=; several are separated by colons.</param>
    internal string ResolveDirectory(string? stateDirectory) => Directory ?? UsualDirectory(stateDirectory);

    internal static string UsualDirectory(string? stateDirectory)
    {
        string state = !string.IsNullOrEmpty(stateDirectory) ? stateDirectory.Split(':')[0]
            : OperatingSystem.IsWindows() ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "NodeAgent")
            : "/var/lib/nodeagent";
        return Path.Combine(state, "identity");
    }
}
