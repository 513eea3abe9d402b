using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace NodeAgent.Hosting.Configuration;

/// <summary>JSON spelling of scalars, readable rather than safe inside HTML.</summary>
internal static class JsonText
{
    public static string String(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    public static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
