using System.Globalization;
using System.Text;
using NodeAgent.Testing.Fleet;

namespace NodeAgent.Benchmarks.Store;

/// <summary>
/// Line protocol of synthetic nodes: a line for the host and one for each GPU. Cheap, because whoever writes it shares two processors with the engine
/// that reads it.
/// </summary>
internal sealed class LineText
{
    private const int LongestNumber = 32;

    private readonly Dictionary<SyntheticNode, byte[][]> _heads = [];
    private byte[][]? _hostFields;
    private byte[][]? _gpuFields;
    private byte[] _text = new byte[1 << 20];
    private int _length;

    /// <summary>Adds the lines of a node's present second.</summary>
    internal void Append(SyntheticNode node, long unixMs)
    {
        if (!_heads.TryGetValue(node, out byte[][]? heads))
        {
            _heads.Add(node, heads = [Head(node, ""), .. Enumerable.Range(0, SyntheticNode.Gpus).Select(gpu => Head(node, $",gpu={gpu}"))]);
        }

        _hostFields ??= Fields(node.Host);
        _gpuFields ??= Fields([.. node.Gpu.Take(SyntheticNode.SeriesPerGpu)]);
        AppendLine(heads[0], _hostFields, node.HostValues, unixMs);
        for (int gpu = 0; gpu < SyntheticNode.Gpus; gpu++)
        {
            AppendLine(heads[gpu + 1], _gpuFields, node.GpuValues.Slice(gpu * SyntheticNode.SeriesPerGpu, SyntheticNode.SeriesPerGpu), unixMs);
        }
    }

    /// <summary>What there is; the text is empty afterwards.</summary>
    internal byte[] Take()
    {
        byte[] taken = _text.AsSpan(0, _length).ToArray();
        _length = 0;
        return taken;
    }

    private void AppendLine(byte[] head, byte[][] fields, ReadOnlySpan<double> values, long unixMs)
    {
        Append(head);
        for (int i = 0; i < fields.Length; i++)
        {
            Append(i == 0 ? " "u8 : ","u8);
            Append(fields[i]);
            Append(values[i]);
        }

        Append(" "u8);
        Append(unixMs);
        Append("\n"u8);
    }

    // A whole number is the same number without a fraction, and written four times faster.
    private void Append(double value)
    {
        const double largestWhole = 1L << 53;
        if (value == Math.Floor(value) && Math.Abs(value) < largestWhole)
        {
            Append((long)value);
            return;
        }

        Reserve(LongestNumber);
        _ = value.TryFormat(_text.AsSpan(_length), out int written, "R", CultureInfo.InvariantCulture);
        _length += written;
    }

    private void Append(long value)
    {
        Reserve(LongestNumber);
        _ = value.TryFormat(_text.AsSpan(_length), out int written, default, CultureInfo.InvariantCulture);
        _length += written;
    }

    private void Append(ReadOnlySpan<byte> text)
    {
        Reserve(text.Length);
        text.CopyTo(_text.AsSpan(_length));
        _length += text.Length;
    }

    private void Reserve(int bytes)
    {
        if (_length + bytes > _text.Length)
        {
            Array.Resize(ref _text, _text.Length * 2);
        }
    }

    private static byte[] Head(SyntheticNode node, string tags) => Encoding.UTF8.GetBytes($"synthetic,node={node.Name}{tags}");

    private static byte[][] Fields(IReadOnlyList<Contracts.Series.SeriesDefinition> series) =>
        [.. series.Select(one => Encoding.UTF8.GetBytes(one.Metric["synthetic_".Length..] + "="))];
}
