using System.Text.Json;
using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Connection;

/// <summary>
/// Reads <c>config.json</c>: <c>{"current": "lab", "profiles": {"lab": {"server": …, "ca": …, "cert": …, "key": …}}}</c>.
/// Strict: a key that is not known is an error, because a silently ignored one is found hours later. All errors are reported at once.
/// </summary>
internal static class ConfigReader
{
    private static readonly string[] TopKeys = ["current", "profiles"];
    private static readonly string[] ProfileKeys = ["server", "ca", "cert", "key"];
    private static readonly JsonDocumentOptions Options = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    /// <summary>The file's content; relative paths in it start at its folder.</summary>
    /// <exception cref="CtlException">Unreadable, no JSON, unknown keys, wrong types.</exception>
    public static CtlConfig Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw CtlException.Usage($"cannot read {path}", unreadable.Message, "Check its permissions or point NODECTL_CONFIG elsewhere.");
        }
    }

    public static CtlConfig Parse(string json, string path)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, Options);
        }
        catch (JsonException broken)
        {
            throw CtlException.Usage($"cannot read {path}", $"not JSON at line {broken.LineNumber + 1}, column {broken.BytePositionInLine + 1}", "Correct it; docs/nodectl.md shows an example.");
        }

        using (document)
        {
            List<string> problems = [];
            CtlConfig config = ReadTop(document.RootElement, Path.GetDirectoryName(Path.GetFullPath(path)) ?? "", problems);
            if (problems.Count > 0) throw CtlException.Usage($"cannot use {path}", string.Join("; ", problems));
            return config;
        }
    }

    private static CtlConfig ReadTop(JsonElement top, string folder, List<string> problems)
    {
        string? current = null;
        Dictionary<string, Profile> profiles = new(StringComparer.Ordinal);
        if (!IsObject(top, "the file", problems)) return new CtlConfig(null, profiles);

        foreach (JsonProperty property in top.EnumerateObject())
        {
            if (property.Name == "current") current = Text(property, "current", problems);
            else if (property.Name != "profiles") Unknown(property.Name, "", TopKeys, problems);
            else if (IsObject(property.Value, "profiles", problems))
            {
                foreach (JsonProperty profile in property.Value.EnumerateObject()) profiles[profile.Name] = ReadProfile(profile, folder, problems);
            }
        }

        if (current is not null && !profiles.ContainsKey(current)) problems.Add(NoProfile(current, profiles.Keys));
        return new CtlConfig(current, profiles);
    }

    private static Profile ReadProfile(JsonProperty profile, string folder, List<string> problems)
    {
        string place = $"profiles.{profile.Name}";
        string? server = null, ca = null, certificate = null, key = null;
        if (!IsObject(profile.Value, place, problems)) return new Profile(null, null, null, null);
        foreach (JsonProperty property in profile.Value.EnumerateObject())
        {
            string name = $"{place}.{property.Name}";
            switch (property.Name)
            {
                case "server": server = ReadServer(property, name, problems); break;
                case "ca": ca = ReadPath(property, name, folder, problems); break;
                case "cert": certificate = ReadPath(property, name, folder, problems); break;
                case "key": key = ReadPath(property, name, folder, problems); break;
                default: Unknown(property.Name, place + ".", ProfileKeys, problems); break;
            }
        }

        return new Profile(server, ca, certificate, key);
    }

    /// <summary>The sentence for a profile that is not there.</summary>
    public static string NoProfile(string name, IEnumerable<string> known)
    {
        List<string> names = [.. known];
        string have = names.Count == 0 ? "there are no profiles" : "known: " + string.Join(", ", names);
        return $"no profile '{name}' ({have}){(Nearest.Question(name, names) is { } question ? " " + question : "")}";
    }

    private static string? ReadServer(JsonProperty property, string name, List<string> problems)
    {
        string? text = Text(property, name, problems);
        if (text is not null && !ServerAddress.TryParse(text, out _, out string problem)) problems.Add($"{name}: {problem}");
        return text;
    }

    private static string? ReadPath(JsonProperty property, string name, string folder, List<string> problems) =>
        Text(property, name, problems) is { Length: > 0 } text ? Path.GetFullPath(text, folder) : null;

    private static string? Text(JsonProperty property, string name, List<string> problems)
    {
        if (property.Value.ValueKind == JsonValueKind.String) return property.Value.GetString();
        problems.Add($"{name} must be a string");
        return null;
    }

    private static bool IsObject(JsonElement element, string name, List<string> problems)
    {
        if (element.ValueKind == JsonValueKind.Object) return true;
        problems.Add($"{name} must be an object");
        return false;
    }

    private static void Unknown(string key, string prefix, string[] known, List<string> problems)
    {
        string question = Nearest.Question(key, known) is { } text ? $" {text}" : $" (known: {string.Join(", ", known)})";
        problems.Add($"unknown key '{prefix}{key}'{question}");
    }
}
