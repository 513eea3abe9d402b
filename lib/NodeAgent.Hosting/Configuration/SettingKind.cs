namespace NodeAgent.Hosting.Configuration;

/// <summary>How one kind of value is read, bounded, described and written back. Stateless; one object per declared setting.</summary>
internal abstract class SettingKind<TValue>
{
    /// <summary>One word for tables: <c>duration</c>.</summary>
    public abstract string Name { get; }

    /// <summary>A noun phrase that tells a person what to write: <c>a duration from 100ms to 1m, such as "1s"</c>.</summary>
    public abstract string Allowed { get; }

    /// <summary>Reads what was written; false when it is not allowed.</summary>
    public abstract bool TryRead(RawValue raw, out TValue value);

    /// <summary>The JSON form, such that <see cref="TryRead"/> gives the value back.</summary>
    public abstract string ToJson(TValue value);

    /// <summary>Bounds as words after a noun: <c> from 1 to 5</c>, <c> of at least 1</c>, or nothing.</summary>
    protected static string Bounds(string? min, string? max) => (min, max) switch
    {
        (null, null) => "",
        (null, _) => $" of at most {max}",
        (_, null) => $" of at least {min}",
        _ => $" from {min} to {max}",
    };
}
