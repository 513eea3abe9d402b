using System.Text.Json.Serialization.Metadata;

namespace NodeAgent.Ctl.Output;

/// <summary>One kind of thing that nodectl lists, in all its forms.</summary>
/// <param name="Kind">The document's <c>kind</c>: "NodeList".</param>
/// <param name="Columns">Columns of table, wide and csv.</param>
/// <param name="Json">How one item becomes JSON.</param>
/// <param name="Empty">What a person reads instead of an empty table: "no nodes".</param>
internal sealed record Listing<T>(string Kind, IReadOnlyList<Column<T>> Columns, JsonTypeInfo<T> Json, string Empty);
