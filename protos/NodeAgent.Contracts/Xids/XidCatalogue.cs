using System.Text.Json;

namespace NodeAgent.Contracts.Xids;

/// <summary>What an XID means and what to do about it, by one reading of many sources; none of which agree (docs/decisions/xids.md).</summary>
/// <param name="Xid">The number.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Class">application, engine, memory, nvlink, bus, ...</param>
/// <param name="Action">One of <see cref="XidCatalogue.Actions"/>.</param>
/// <param name="Severity">info, warning, error or critical.</param>
/// <param name="Note">What else there is to know; "" for nothing.</param>
/// <param name="Sources">What each source says, by its key in <see cref="XidCatalogue.Sources"/>.</param>
public sealed record XidEntry(int Xid, string Name, string Class, string Action, string Severity, string Note, IReadOnlyDictionary<string, string> Sources);

/// <summary>The catalogue: versioned data with where each opinion comes from, embedded; and what a policy file changes of it.</summary>
public sealed class XidCatalogue
{
    private readonly Dictionary<int, XidEntry> _entries;

    private XidCatalogue(JsonElement root)
    {
        Version = root.GetProperty("version").GetInt32();
        Dated = root.GetProperty("dated").GetString()!;
        Sources = Texts(root.GetProperty("sources"));
        Actions = Texts(root.GetProperty("actions"));
        RecoveryActions = [.. root.GetProperty("recovery_actions").EnumerateArray().Select(action => action.GetString()!)];
        _entries = root.GetProperty("xids").EnumerateArray().Select(ReadEntry).ToDictionary(entry => entry.Xid);
    }

    /// <summary>The one that is embedded.</summary>
    public static XidCatalogue Embedded { get; } = Load();

    /// <summary>Grows with every change of the data.</summary>
    public int Version { get; }

    /// <summary>When its sources were read, year-month-day.</summary>
    public string Dated { get; }

    /// <summary>Where opinions come from, by key.</summary>
    public IReadOnlyDictionary<string, string> Sources { get; }

    /// <summary>What can be done, by key, in words.</summary>
    public IReadOnlyDictionary<string, string> Actions { get; }

    /// <summary>Names of the driver's recovery actions (field 230), by number.</summary>
    public IReadOnlyList<string> RecoveryActions { get; }

    /// <summary>All entries.</summary>
    public IReadOnlyCollection<XidEntry> Entries => _entries.Values;

    /// <summary>What is known of an XID; null: nothing.</summary>
    public XidEntry? Find(int xid) => _entries.GetValueOrDefault(xid);

    private static XidCatalogue Load()
    {
        using Stream stream = typeof(XidCatalogue).Assembly.GetManifestResourceStream("xid-catalogue.json")
            ?? throw new InvalidOperationException("BUG: the XID catalogue is not embedded");
        using JsonDocument document = JsonDocument.Parse(stream);
        return new XidCatalogue(document.RootElement);
    }

    private static XidEntry ReadEntry(JsonElement entry) => new(
        entry.GetProperty("xid").GetInt32(),
        entry.GetProperty("name").GetString()!,
        entry.GetProperty("class").GetString()!,
        entry.GetProperty("action").GetString()!,
        entry.GetProperty("severity").GetString()!,
        entry.TryGetProperty("note", out JsonElement note) ? note.GetString()! : "",
        Texts(entry.GetProperty("sources")));

    private static Dictionary<string, string> Texts(JsonElement map) => map.EnumerateObject().ToDictionary(property => property.Name, property => property.Value.GetString()!);
}
