namespace NodeAgent.Ctl.Connection;

/// <summary>Option, then environment variable, then profile, then default; each part on its own.</summary>
internal static class ConnectionResolver
{
    /// <exception cref="CtlException">A broken configuration file, an unknown profile, an address that cannot be read, plaintext beyond loopback.</exception>
    public static ConnectionSettings Resolve(ConnectionFlags flags, CtlWorld world)
    {
        string configPath = ConfigPath(world);
        bool found = File.Exists(configPath);
        CtlConfig? config = found ? ConfigReader.Read(configPath) : null;
        (string? profileName, Profile? profile) = SelectProfile(flags.Profile ?? world.Variable("NODECTL_PROFILE"), config, configPath);

        (ServerAddress server, string source) = ResolveServer(flags, world, profileName, profile);
        if (server.Plaintext && !server.IsLoopback)
        {
            throw CtlException.Usage(
                $"cannot use {server.Uri}", "without TLS only this machine's own loopback address may be used",
                "Use https:// with --ca, --cert and --key.");
        }

        string? certificate = flags.Certificate ?? world.Variable("NODECTL_CERT") ?? profile?.Certificate;
        string? key = flags.Key ?? world.Variable("NODECTL_KEY") ?? profile?.Key;
        if (certificate is null != key is null)
        {
            throw CtlException.Usage("cannot identify", certificate is null ? "--key without --cert" : "--cert without --key", "Give both files.");
        }

        return new ConnectionSettings
        {
            Server = server,
            ServerSource = source,
            CaPath = flags.Ca ?? world.Variable("NODECTL_CA") ?? profile?.Ca,
            CertificatePath = certificate,
            KeyPath = key,
            Timeout = flags.Timeout,
            Profile = profileName,
            ConfigPath = configPath,
            ConfigFound = found,
        };
    }

    /// <summary><c>$NODECTL_CONFIG</c> (a file, or a folder that holds config.json), else <c>$XDG_CONFIG_HOME/nodectl/config.json</c>, else <c>~/.config/nodectl/config.json</c>.</summary>
    public static string ConfigPath(CtlWorld world)
    {
        if (world.Variable("NODECTL_CONFIG") is { } given) return Directory.Exists(given) ? Path.Combine(given, "config.json") : given;
        string root = world.Variable("XDG_CONFIG_HOME") ?? Path.Combine(world.Home, ".config");
        return Path.Combine(root, "nodectl", "config.json");
    }

    private static (string? Name, Profile? Profile) SelectProfile(string? asked, CtlConfig? config, string configPath)
    {
        if (asked is not null)
        {
            if (config is null) throw CtlException.Usage($"cannot use profile '{asked}'", $"{configPath} does not exist", "Create it; docs/nodectl.md shows an example.");
            if (config.Profiles.TryGetValue(asked, out Profile? named)) return (asked, named);
            throw CtlException.Usage($"cannot use profile '{asked}'", ConfigReader.NoProfile(asked, config.Profiles.Keys));
        }

        if (config is null) return (null, null);
        if (config.Current is { } current) return (current, config.Profiles[current]);
        return config.Profiles.Count == 1 ? (config.Profiles.Keys.Single(), config.Profiles.Values.Single()) : (null, null);
    }

    private static (ServerAddress Server, string Source) ResolveServer(ConnectionFlags flags, CtlWorld world, string? profileName, Profile? profile)
    {
        (string? text, string source) = flags.Server is not null ? (flags.Server, "--server")
            : world.Variable("NODECTL_SERVER") is { } variable ? (variable, "NODECTL_SERVER")
            : profile?.Server is { } configured ? (configured, $"profile {profileName}")
            : (null, "default");

        ServerAddress server = ServerAddress.Default;
        if (text is not null && !ServerAddress.TryParse(text, out server, out string problem))
        {
            throw CtlException.Usage($"cannot read the server address '{text}' ({source})", problem, "Give host:port, for example aggregator.lab:7443.");
        }

        return (flags.Plaintext ? server with { Plaintext = true } : server, source);
    }
}
