using System.Globalization;

namespace NodeAgent.Hosting.Configuration;

/// <summary>"500ms", "1s", "5m". A bare number is refused: the reader of a file must see the unit.</summary>
internal sealed class DurationKind(TimeSpan min, TimeSpan max) : SettingKind<TimeSpan>
{
    public override string Name => "duration";

    public override string Allowed =>
        $"a duration{Bounds(DurationText.Format(min), max == TimeSpan.MaxValue ? null : DurationText.Format(max))}, such as \"30s\" or \"500ms\"";

    public override bool TryRead(RawValue raw, out TimeSpan value)
    {
        value = default;
        return raw.Kind is RawKind.String or RawKind.Text
            && DurationText.TryParse(raw.Text, out value) && value >= min && value <= max;
    }

    public override string ToJson(TimeSpan value) => JsonText.String(DurationText.Format(value));
}

/// <summary>"64MiB", "10GB", or a whole number of bytes.</summary>
internal sealed class BytesKind(long min, long max) : SettingKind<long>
{
    public override string Name => "bytes";

    public override string Allowed =>
        $"a size{Bounds(ByteText.Format(min), max == long.MaxValue ? null : ByteText.Format(max))}, such as \"64MiB\" or \"10GB\"";

    public override bool TryRead(RawValue raw, out long value)
    {
        value = 0;
        return raw.Kind is RawKind.String or RawKind.Text or RawKind.Number
            && ByteText.TryParse(raw.Text, out value) && value >= min && value <= max;
    }

    public override string ToJson(long value) => JsonText.String(ByteText.Format(value));
}

/// <summary>A whole number.</summary>
internal sealed class IntegerKind(int min, int max) : SettingKind<int>
{
    public override string Name => "integer";

    public override string Allowed =>
        $"a whole number{Bounds(min == int.MinValue ? null : min.ToString(), max == int.MaxValue ? null : max.ToString())}";

    public override bool TryRead(RawValue raw, out int value)
    {
        value = 0;
        return raw.Kind is RawKind.Number or RawKind.Text
            && int.TryParse(raw.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)
            && value >= min && value <= max;
    }

    public override string ToJson(int value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A number with decimals; never NaN or infinite.</summary>
internal sealed class NumberKind(double min, double max) : SettingKind<double>
{
    public override string Name => "number";

    public override string Allowed =>
        $"a number{Bounds(double.IsFinite(min) ? JsonText.Number(min) : null, double.IsFinite(max) ? JsonText.Number(max) : null)}";

    public override bool TryRead(RawValue raw, out double value)
    {
        value = 0;
        return raw.Kind is RawKind.Number or RawKind.Text
            && double.TryParse(raw.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out value)
            && double.IsFinite(value) && value >= min && value <= max;
    }

    public override string ToJson(double value) => JsonText.Number(value);
}

/// <summary><c>true</c> or <c>false</c>, nothing that resembles it.</summary>
internal sealed class BoolKind : SettingKind<bool>
{
    public override string Name => "bool";

    public override string Allowed => "true or false";

    public override bool TryRead(RawValue raw, out bool value)
    {
        value = raw.Text == "true";
        return raw.Kind is RawKind.Bool or RawKind.Text && raw.Text is "true" or "false";
    }

    public override string ToJson(bool value) => value ? "true" : "false";
}

/// <summary>One of a few names.</summary>
internal sealed class ChoiceKind<TValue>(IReadOnlyList<KeyValuePair<string, TValue>> choices) : SettingKind<TValue>
    where TValue : struct
{
    private readonly string[] _names = [.. choices.Select(choice => choice.Key)];

    public override string Name => "choice";

    public override string Allowed => Quote.OneOf(_names);

    public override bool TryRead(RawValue raw, out TValue value)
    {
        int at = raw.Kind is RawKind.String or RawKind.Text ? Array.IndexOf(_names, raw.Text) : -1;
        value = at < 0 ? default : choices[at].Value;
        return at >= 0;
    }

    public override string ToJson(TValue value)
    {
        foreach ((string name, TValue candidate) in choices)
        {
            if (EqualityComparer<TValue>.Default.Equals(candidate, value))
            {
                return JsonText.String(name);
            }
        }

        throw new InvalidOperationException($"BUG: {value} is not among the declared choices {Allowed}");
    }
}
