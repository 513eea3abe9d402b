using System.Diagnostics.CodeAnalysis;

namespace NodeAgent.Commands.Envelope;

/// <summary>The keys an agent trusts, by id.</summary>
public sealed class KeyRing
{
    private readonly Dictionary<string, TrustedKey> _keys = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">A key is listed twice.</exception>
    public KeyRing(IEnumerable<TrustedKey> keys)
    {
        foreach (TrustedKey key in keys)
        {
            if (!_keys.TryAdd(key.Id, key)) throw new ArgumentException($"key {key.Id} is listed twice: for {_keys[key.Id].Owner} and {key.Owner}");
        }
    }

    public static KeyRing Empty { get; } = new([]);

    public IReadOnlyCollection<TrustedKey> Keys => _keys.Values;

    public bool TryFind(ReadOnlySpan<byte> id, [NotNullWhen(true)] out TrustedKey? key) => _keys.TryGetValue(Convert.ToHexStringLower(id), out key);
}
