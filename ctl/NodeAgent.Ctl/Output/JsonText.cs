using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace NodeAgent.Ctl.Output;

/// <summary>The versioned JSON documents of docs/nodectl.md.</summary>
internal static class JsonText
{
    /// <summary>Changes only when a field changes its meaning or goes away; new fields may appear within a version.</summary>
    public const string ApiVersion = "nodectl/v1";

    // Text goes to terminals and files, never into HTML, so label values stay readable.
    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary><c>{"apiVersion":…,"kind":…,…,"items":[…]}</c> with a final line feed.</summary>
    /// <param name="about">Writes the document's own fields (times, cost) between kind and items. Null: none.</param>
    public static string List<T>(string kind, IReadOnlyList<T> items, JsonTypeInfo<T> type, Action<Utf8JsonWriter>? about = null) =>
        Document(kind, about, json =>
        {
            json.WriteStartArray("items");
            foreach (T item in items) JsonSerializer.Serialize(json, item, type);
            json.WriteEndArray();
        });

    /// <summary><c>{"apiVersion":…,"kind":…,"item":{…}}</c> with a final line feed.</summary>
    public static string Single<T>(string kind, T item, JsonTypeInfo<T> type) =>
        Document(kind, about: null, json =>
        {
            json.WritePropertyName("item");
            JsonSerializer.Serialize(json, item, type);
        });

    /// <summary>One line.</summary>
    public static string Line<T>(T item, JsonTypeInfo<T> type) => Write(Compact, json => JsonSerializer.Serialize(json, item, type));

    private static string Document(string kind, Action<Utf8JsonWriter>? about, Action<Utf8JsonWriter> body) => Write(Indented, json =>
    {
        json.WriteStartObject();
        json.WriteString("apiVersion", ApiVersion);
        json.WriteString("kind", kind);
        about?.Invoke(json);
        body(json);
        json.WriteEndObject();
    });

    private static string Write(JsonWriterOptions options, Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> buffer = new(1024);
        using (Utf8JsonWriter json = new(buffer, options)) write(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }
}
