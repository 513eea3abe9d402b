using System.Buffers;
using System.Text;
using System.Text.Json;

namespace NodeAgent.Hosting.Configuration;

/// <summary>Reads one file: JSON (RFC 8259) with comments and trailing commas, flattened into raw settings with positions.</summary>
internal static class ConfigurationFile
{
    // A thousand settings with comments take about 100 KiB; more is not a configuration.
    private const int MaxBytes = 1024 * 1024;
    private const int MaxDepth = 16;

    public static IReadOnlyList<RawSetting> Read(string path, LoadReport report)
    {
        try
        {
            long length = new FileInfo(path).Length;
            if (length <= MaxBytes)
            {
                return Parse(path, File.ReadAllBytes(path), report);
            }

            report.Error(new(path), null, $"is too large for a configuration file: {length} bytes, at most {MaxBytes}");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            report.Error(new(path), null, Reason(path, unreadable));
        }

        report.Incomplete = true;
        return [];
    }

    /// <summary>As <see cref="Read"/>, from memory. What stands before a syntax error is still returned, so that its errors are told too.</summary>
    public static IReadOnlyList<RawSetting> Parse(string name, byte[] bytes, LoadReport report)
    {
        ReadOnlySpan<byte> text = bytes;
        if (text.StartsWith("\uFEFF"u8))
        {
            text = text[3..];
        }

        if (FirstInvalidByte(text) is { } invalid)
        {
            report.Incomplete = true;
            int line = text[..invalid].Count((byte)'\n') + 1;
            report.Error(new SettingSource(name, line, 1), null, $"is not UTF-8: byte 0x{text[invalid]:x2} in this line; save it as UTF-8");
            return [];
        }

        JsonSettingsReader reader = new(name, text, MaxDepth, report);
        try
        {
            reader.ReadDocument();
        }
        catch (JsonException malformed)
        {
            report.Incomplete = true;
            SettingSource at = reader.PositionOf(malformed);
            report.Error(at, null, $"not valid JSON: {WithoutPosition(malformed.Message)}");
        }

        return reader.Settings;
    }

    private static int? FirstInvalidByte(ReadOnlySpan<byte> text)
    {
        int at = 0;
        while (at < text.Length)
        {
            if (Rune.DecodeFromUtf8(text[at..], out _, out int consumed) != OperationStatus.Done)
            {
                return at;
            }

            at += consumed;
        }

        return null;
    }

    private static string Reason(string path, Exception unreadable) => unreadable switch
    {
        _ when Directory.Exists(path) => "is a folder, not a file",
        FileNotFoundException or DirectoryNotFoundException => "does not exist",
        UnauthorizedAccessException => "may not be read by this user",
        _ => $"cannot be read: {unreadable.Message}",
    };

    /// <summary>The reader appends its own zero-based position to the message; ours is in front, and one-based.</summary>
    private static string WithoutPosition(string message)
    {
        int at = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return at < 0 ? message : message[..at];
    }
}
