using System.Text;
using System.Text.Json;

namespace NodeAgent.Hosting.Configuration;

/// <summary>Walks one document and notes each setting with the position of its key.</summary>
internal ref struct JsonSettingsReader
{
    private readonly string _name;
    private readonly ReadOnlySpan<byte> _text;
    private readonly LoadReport _report;
    private readonly List<string> _path = [];
    private Utf8JsonReader _reader;

    public JsonSettingsReader(string name, ReadOnlySpan<byte> text, int maxDepth, LoadReport report)
    {
        _name = name;
        _text = text;
        _report = report;
        _reader = new Utf8JsonReader(text, new JsonReaderOptions
        {
            CommentHandling = JsonCommentHandling.Skip,
            AllowTrailingCommas = true,
            MaxDepth = maxDepth,
        });
    }

    public List<RawSetting> Settings { get; } = [];

    /// <exception cref="JsonException">The text is not JSON.</exception>
    public void ReadDocument()
    {
        if (_text.IndexOfAnyExcept(" \t\r\n"u8) < 0)
        {
            return; // an empty file sets nothing
        }

        if (!_reader.Read())
        {
            return; // only comments
        }

        if (_reader.TokenType != JsonTokenType.StartObject)
        {
            _report.Incomplete = true;
            _report.Error(Here(), null, "a configuration file is one object: { \"section\": { \"key\": value } }");
            return;
        }

        ReadSection(Here());
        while (_reader.Read())
        {
            // Anything but comments after the object makes the reader throw.
        }
    }

    public SettingSource PositionOf(JsonException malformed)
    {
        // The JSON reader ends a line also at a lone carriage return in a comment; editors and all our other positions do not.
        int line = 0;
        int lineStart = 0;
        for (int newline; line < malformed.LineNumber && (newline = _text[lineStart..].IndexOf((byte)'\n')) >= 0; line++)
        {
            lineStart += newline + 1;
        }

        int bytes = (int)Math.Min(malformed.BytePositionInLine ?? 0, _text.Length - lineStart);
        return new SettingSource(_name, line + 1, CharsIn(_text.Slice(lineStart, bytes)) + 1);
    }

    private void ReadSection(SettingSource sectionAt)
    {
        Dictionary<string, int> seen = new(StringComparer.Ordinal);
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
        {
            SettingSource at = Here();
            string key = Text();
            _path.Add(key);
            _reader.Read();
            if (!seen.TryAdd(key, at.Line))
            {
                string full = string.Join('.', _path);
                _report.Error(at, full, $"'{full}' is written twice; the first is in line {seen[key]}");
            }

            ReadValue(at);
            _path.RemoveAt(_path.Count - 1);
        }

        if (seen.Count == 0 && _path.Count > 0)
        {
            Add(sectionAt, new RawValue(RawKind.EmptySection, "{}"));
        }
    }

    private void ReadValue(SettingSource at)
    {
        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject: ReadSection(at); break;
            case JsonTokenType.StartArray: ReadList(at); break;
            default: Add(at, Scalar()); break;
        }
    }

    private void ReadList(SettingSource at)
    {
        List<RawValue> items = [];
        bool nested = false;
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            nested |= _reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
            if (_reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                _reader.Skip();
            }
            else
            {
                items.Add(Scalar());
            }
        }

        if (nested)
        {
            string full = string.Join('.', _path);
            _report.Error(at, full, $"'{full}' is a list with lists or sections in it; no setting takes that");
        }
        else
        {
            Add(at, new RawValue(RawKind.List, "[]", items));
        }
    }

    /// <summary>The bytes are known to be UTF-8, so what can still go wrong is an escape of half a surrogate pair.</summary>
    private readonly string Text()
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            SettingSource at = Here();
            throw new JsonException("a \\u escape in this text is half of a surrogate pair.", null, at.Line - 1, BytesBefore().Length);
        }
    }

    private readonly RawValue Scalar() => _reader.TokenType switch
    {
        JsonTokenType.String => new RawValue(RawKind.String, Text()),
        JsonTokenType.Number => new RawValue(RawKind.Number, Encoding.ASCII.GetString(_reader.ValueSpan)),
        JsonTokenType.True => new RawValue(RawKind.Bool, "true"),
        JsonTokenType.False => new RawValue(RawKind.Bool, "false"),
        _ => new RawValue(RawKind.Null, "null"),
    };

    private readonly void Add(SettingSource at, RawValue value) => Settings.Add(new RawSetting([.. _path], value, at));

    private readonly SettingSource Here()
    {
        int line = _text[..(int)_reader.TokenStartIndex].Count((byte)'\n');
        return new SettingSource(_name, line + 1, CharsIn(BytesBefore()) + 1);
    }

    /// <summary>What stands before the current token in its line.</summary>
    private readonly ReadOnlySpan<byte> BytesBefore()
    {
        ReadOnlySpan<byte> before = _text[..(int)_reader.TokenStartIndex];
        return before[(before.LastIndexOf((byte)'\n') + 1)..];
    }

    private static int CharsIn(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetCharCount(utf8);
}
