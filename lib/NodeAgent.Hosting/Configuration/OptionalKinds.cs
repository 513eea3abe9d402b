namespace NodeAgent.Hosting.Configuration;

/// <summary>A value that may be left open with <c>null</c>: "decide for me", never zero.</summary>
internal sealed class OptionalValueKind<TValue>(SettingKind<TValue> inner) : SettingKind<TValue?>
    where TValue : struct
{
    public override string Name => inner.Name;

    public override string Allowed => $"{inner.Allowed}, or null";

    public override bool TryRead(RawValue raw, out TValue? value)
    {
        value = null;
        if (Nullness.IsNull(raw))
        {
            return true;
        }

        bool read = inner.TryRead(raw, out TValue inside);
        value = inside;
        return read;
    }

    public override string ToJson(TValue? value) => value is { } inside ? inner.ToJson(inside) : "null";
}

/// <summary>As <see cref="OptionalValueKind{TValue}"/>, for reference types.</summary>
internal sealed class OptionalReferenceKind<TValue>(SettingKind<TValue> inner) : SettingKind<TValue?>
    where TValue : class
{
    public override string Name => inner.Name;

    public override string Allowed => $"{inner.Allowed}, or null";

    public override bool TryRead(RawValue raw, out TValue? value)
    {
        value = null;
        if (Nullness.IsNull(raw))
        {
            return true;
        }

        bool read = inner.TryRead(raw, out TValue inside);
        value = inside;
        return read;
    }

    public override string ToJson(TValue? value) => value is { } inside ? inner.ToJson(inside) : "null";
}

/// <summary>How "left open" is written: <c>null</c> in a file, nothing in an environment variable or argument.</summary>
internal static class Nullness
{
    public static bool IsNull(RawValue raw) => raw.Kind == RawKind.Null || (raw.Kind == RawKind.Text && raw.Text.Length == 0);
}
