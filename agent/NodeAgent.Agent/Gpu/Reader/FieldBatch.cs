using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Nvml;

namespace NodeAgent.Agent.Gpu.Reader;

/// <summary>
/// The fields of one tier, asked in one call. A field that a GPU does not have leaves the batch: the driver would look it up each time.
/// </summary>
internal sealed class FieldBatch(GpuField[] fields, int firstTimed)
{
    private readonly CapabilityCache _has = new(fields.Length);
    private readonly NvmlFieldValue[] _values = new NvmlFieldValue[fields.Length];
    private readonly int[] _asked = new int[fields.Length]; // which field each value is
    private readonly long[] _slowestUs = new long[fields.Length];
    private readonly ulong[] _last = new ulong[fields.Length]; // of 32-bit counters, which wrap within seconds on a busy link
    private readonly double[] _wrapped = new double[fields.Length];
    private int _count;
    private bool _isPlanned;

    internal int Count => fields.Length;

    /// <summary>Forgets what is absent, unless it is about the same GPU, driver and layout.</summary>
    internal void Use(CapabilityKey key)
    {
        _has.Use(key);
        _isPlanned = false;
    }

    /// <summary>Asks. The result is that of the call; each field has its own.</summary>
    internal NvmlReturn Read(NvmlLibrary library, nint device)
    {
        if (!_isPlanned)
        {
            Plan();
        }

        for (int i = 0; i < _count; i++)
        {
            _values[i].FieldId = fields[_asked[i]].Id;
            _values[i].ScopeId = fields[_asked[i]].Scope;
            _values[i].Return = NvmlReturn.NoData;
        }

        return _count == 0 ? NvmlReturn.NotSupported : library.GetFieldValues(device, _values.AsSpan(0, _count));
    }

    /// <summary>How many values the last call gave.</summary>
    internal int AnswerCount => _count;

    /// <summary>The n-th answer. False: this GPU has no such value, or not now.</summary>
    internal bool TryTake(int answer, out int column, out double value, out NvmlReturn result)
    {
        ref readonly NvmlFieldValue got = ref _values[answer];
        int number = _asked[answer];
        GpuField field = fields[number];
        result = got.Return;
        column = field.Column;
        value = 0;
        if (!_has.Learn(number, result))
        {
            _isPlanned &= !result.IsAbsent();
            return false;
        }

        _slowestUs[number] = Math.Max(_slowestUs[number], got.LatencyUs);
        value = (field.Column is var c && (c == GpuColumns.PcieTransmit || c == GpuColumns.PcieReceive) ? Unwrapped(number, got) : got.Value) * field.Factor;
        return true;
    }

    /// <summary>The longest the driver took for a field since this was asked, by its place; -1: it was not read.</summary>
    internal long TakeSlowestUs(int number)
    {
        long slowest = _has.MayHave(number) ? _slowestUs[number] : -1;
        _slowestUs[number] = 0;
        return slowest;
    }

    /// <summary>The latency column of a field; -1: it has none.</summary>
    internal int LatencyColumn(int number, int timedCount) => number < timedCount ? GpuColumns.FieldLatency(firstTimed + number) : -1;

    private void Plan()
    {
        _count = 0;
        for (int i = 0; i < fields.Length; i++)
        {
            if (_has.MayHave(i))
            {
                _asked[_count++] = i;
            }
        }

        _isPlanned = true;
    }

    private double Unwrapped(int number, in NvmlFieldValue got)
    {
        const double Wrap = 4294967296;
        if (got.ValueType != NvmlValueType.UnsignedInt)
        {
            return got.Value;
        }

        ulong now = (uint)got.Bits;
        _wrapped[number] += now < _last[number] ? Wrap : 0;
        _last[number] = now;
        return _wrapped[number] + now;
    }
}
