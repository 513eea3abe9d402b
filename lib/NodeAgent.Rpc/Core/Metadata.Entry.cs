using System.Text;

namespace Grpc.Core;

public sealed partial class Metadata
{
    /// <summary>One key and its value.</summary>
    public sealed class Entry
    {
        private readonly string? _value;
        private readonly byte[]? _valueBytes;

        /// <summary>Text. It must be printable ASCII, which is all that HTTP/2 headers carry unharmed.</summary>
        public Entry(string key, string value)
        {
            Key = NormalizeKey(key);
            ArgumentNullException.ThrowIfNull(value);
            if (IsBinary)
            {
                throw new ArgumentException($"The key '{key}' ends in {BinaryHeaderSuffix}: its value is bytes.", nameof(key));
            }

            _value = value;
        }

        /// <summary>Bytes; the key must end in <c>-bin</c>. They are copied.</summary>
        public Entry(string key, byte[] valueBytes)
        {
            Key = NormalizeKey(key);
            ArgumentNullException.ThrowIfNull(valueBytes);
            if (!IsBinary)
            {
                throw new ArgumentException($"The key '{key}' must end in {BinaryHeaderSuffix} to carry bytes.", nameof(key));
            }

            _valueBytes = [.. valueBytes];
        }

        /// <summary>Lower case.</summary>
        public string Key { get; }

        /// <summary>Whether the value is bytes.</summary>
        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);

        /// <summary>The text. For a binary entry an error.</summary>
        public string Value => _value ?? throw new InvalidOperationException($"'{Key}' is binary; read ValueBytes.");

        /// <summary>The bytes, as a copy; for text its ASCII bytes.</summary>
        public byte[] ValueBytes => _valueBytes is null ? Encoding.ASCII.GetBytes(_value!) : [.. _valueBytes];

        internal ReadOnlySpan<byte> BinaryValue => _valueBytes;

        /// <inheritdoc/>
        public override string ToString() =>
            IsBinary ? $"[Entry: key={Key}, valueBytes={Convert.ToHexString(_valueBytes!)}]" : $"[Entry: key={Key}, value={_value}]";

        private static string NormalizeKey(string key)
        {
            ArgumentException.ThrowIfNullOrEmpty(key);
            foreach (char c in key)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '.'))
                {
                    throw new ArgumentException(
                        $"The metadata key '{key}' may hold only letters, digits, underscore, hyphen and period.", nameof(key));
                }
            }

            return key.ToLowerInvariant();
        }
    }
}
