namespace NodeAgent.Hosting.Configuration;

/// <summary>Reads every source in order into raw settings; the later ones override the earlier ones when assigned in this order.</summary>
internal sealed class RawSettings(ConfigurationSources sources, IReadOnlyList<string> knownKeys, LoadReport report)
{
    public IEnumerable<RawSetting> ReadAll() =>
        Files().SelectMany(path => ConfigurationFile.Read(path, report))
            .Concat(FromEnvironment())
            .Concat(FromOverrides());

    private IEnumerable<string> Files() =>
        sources.OptionalFiles.Where(File.Exists).Concat(sources.Files).Concat(DropIns());

    private string[] DropIns()
    {
        if (sources.DropInFolder is null || !Directory.Exists(sources.DropInFolder))
        {
            return [];
        }

        try
        {
            string[] files = Directory.GetFiles(sources.DropInFolder, "*.json");
            Array.Sort(files, StringComparer.Ordinal);
            return files;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            report.Incomplete = true;
            report.Error(new(sources.DropInFolder), null, $"cannot list this folder: {unreadable.Message}");
            return [];
        }
    }

    private IEnumerable<RawSetting> FromEnvironment()
    {
        string prefix = sources.EnvironmentPrefix;
        if (prefix.Length == 0)
        {
            yield break;
        }

        foreach ((string name, string value) in sources.Environment.OrderBy(variable => variable.Key, StringComparer.Ordinal))
        {
            if (!name.StartsWith(prefix, StringComparison.Ordinal))
            {
                continue;
            }

            // Only names with the section separator are ours. Kubernetes puts AGGREGATOR_PORT and AGGREGATOR_SERVICE_HOST into every
            // container beside a service called "aggregator"; those must neither set anything nor stop the start.
            string key = name[prefix.Length..].ToLowerInvariant();
            SettingSource source = new($"environment {name}");
            if (key.Contains("__", StringComparison.Ordinal))
            {
                yield return new RawSetting(key.Split("__"), new RawValue(RawKind.Text, value), source);
            }
            else if (knownKeys.FirstOrDefault(known => known.Contains('.') && known.Replace('.', '_') == key) is { } meant)
            {
                report.Error(source, null, $"sets nothing; did you mean {prefix}{meant.Replace(".", "__", StringComparison.Ordinal).ToUpperInvariant()}?");
            }
        }
    }

    private IEnumerable<RawSetting> FromOverrides()
    {
        SettingSource source = new("--set");
        foreach (string argument in sources.Overrides)
        {
            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                report.Error(source, null, $"{Quote.Text(argument)} is not key=value, such as sampling.interval=5s");
                continue;
            }

            yield return new RawSetting(argument[..equals].Split('.'), new RawValue(RawKind.Text, argument[(equals + 1)..]), source);
        }
    }
}
