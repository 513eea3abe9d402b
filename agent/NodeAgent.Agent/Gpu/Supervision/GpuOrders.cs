using System.Runtime.CompilerServices;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Nvml;

namespace NodeAgent.Agent.Gpu.Supervision;

/// <summary>
/// Which GPUs the reader shall leave alone: those that hang or crash it, and those that somebody asked the agent to let go of. Also knows
/// which GPUs there are, by bus id, from PCI and from what readers said. Thread-safe.
/// </summary>
internal sealed class GpuOrders
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long?> _excluded = new(StringComparer.Ordinal); // until when; null: until included
    private readonly HashSet<string> _released = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _known = new(StringComparer.Ordinal); // bus id, UUID
    private bool _isAllReleased;
    private bool _mayExpire;
    private long _number;

    /// <summary>Grows with every change.</summary>
    internal long Number => Volatile.Read(ref _number);

    /// <summary>No GPU shall be held at all.</summary>
    internal bool IsAllReleased => Volatile.Read(ref _isAllReleased);

    /// <summary>Every bus id is used in this form: "0000:18:00".</summary>
    internal static string Normalize(string busId)
    {
        string[] parts = busId.Trim().ToLowerInvariant().Split(':');
        if (parts.Length != 3)
        {
            return busId;
        }

        string domain = parts[0].Length > 4 && parts[0][..^4].All(digit => digit == '0') ? parts[0][^4..] : parts[0].PadLeft(4, '0');
        return $"{domain}:{parts[1]}:{parts[2].Split('.')[0]}";
    }

    internal void Know(string busId, string uuid)
    {
        lock (_lock)
        {
            string key = Normalize(busId);
            _known[key] = uuid.Length > 0 ? uuid : _known.GetValueOrDefault(key, "");
        }
    }

    /// <summary>Whether PCI or a reader has told of the GPU.</summary>
    internal bool Knows(string busId)
    {
        lock (_lock)
        {
            return _known.ContainsKey(Normalize(busId));
        }
    }

    /// <summary>"" where nobody has said it.</summary>
    internal string UuidOf(string busId)
    {
        lock (_lock)
        {
            return _known.GetValueOrDefault(Normalize(busId), "");
        }
    }

    internal void Exclude(string busId, long? until) => Change(() =>
    {
        _excluded[Normalize(busId)] = until;
        _mayExpire |= until is not null;
        return true;
    });

    internal void Include(string busId) => Change(() => _excluded.Remove(Normalize(busId)));

    /// <summary>Let go of a GPU, or of all (null).</summary>
    internal void Release(string? busId) => Change(() => busId is null ? _isAllReleased = true : _released.Add(Normalize(busId)));

    /// <summary>Take a GPU back, or all (null). A person's word also ends an exclusion.</summary>
    internal void Reacquire(string? busId) => Change(() =>
    {
        if (busId is not null)
        {
            return _released.Remove(Normalize(busId)) | _excluded.Remove(Normalize(busId));
        }

        bool changed = _isAllReleased || _released.Count > 0;
        _isAllReleased = false;
        _released.Clear();
        return changed;
    });

    /// <summary>Takes GPUs back in whose time has come.</summary>
    internal void Expire(long now)
    {
        if (Volatile.Read(ref _mayExpire))
        {
            ExpireExclusions(now); // apart, so that a tick without exclusions does not allocate what the lambda captures
        }
    }

    private void ExpireExclusions(long now)
    {
        lock (_lock)
        {
            foreach (string busId in _excluded.Where(pair => pair.Value <= now).Select(pair => pair.Key).ToArray())
            {
                _excluded.Remove(busId);
                _number++;
            }

            _mayExpire = _excluded.Values.Any(until => until is not null);
        }
    }

    internal unsafe void WriteTo(ref ReadingsHead head)
    {
        lock (_lock)
        {
            int count = 0;
            foreach (string busId in _excluded.Keys.Concat(_released.Where(busId => !_excluded.ContainsKey(busId))).Take(ReadingsHead.MostGpus))
            {
                Write(ref head.LeftOut[count++], busId);
            }

            head.ExcludedCount = Math.Min(count, _excluded.Count);
            head.ReleasedCount = count - head.ExcludedCount;
            int candidates = 0;
            foreach (string busId in _known.Keys.Where(busId => !_excluded.ContainsKey(busId) && !_released.Contains(busId)).Take(ReadingsHead.MostGpus))
            {
                Write(ref head.Candidates[candidates++], busId);
            }

            head.CandidateCount = candidates;
        }
    }

    /// <summary>The call a reader is in, and the GPU it is about; "" where it is about none.</summary>
    internal unsafe (string Call, string Pci, string Uuid) CallOf(Watched reader)
    {
        ref ReadingsHead head = ref reader.Process.Shared.Head;
        NvmlCall call = (NvmlCall)head.Call.Call;
        int gpu = head.Call.Gpu;
        if (call == NvmlCall.None || gpu < 0 || gpu >= ReadingsHead.MostGpus)
        {
            return (NvmlExports.NameOf(call), "", "");
        }

        ref GpuBlock block = ref reader.Process.Shared.Gpu(gpu);
        string pci = gpu < head.GpuCount ? SharedReadings.Read(new ReadOnlySpan<byte>(Unsafe.AsPointer(ref block.BusId[0]), GpuBlock.BusIdBytes)) : "";
        if (pci.Length == 0)
        {
            pci = ByOrder(gpu); // it hangs before it could say who is who: NVML counts in the order of the bus
        }

        return (NvmlExports.NameOf(call), pci.Length > 0 ? Normalize(pci) : "", pci.Length > 0 ? UuidOf(pci) : "");
    }

    private string ByOrder(int place)
    {
        lock (_lock)
        {
            return _known.Keys.Where(busId => !_excluded.ContainsKey(busId) && !_released.Contains(busId)).ElementAtOrDefault(place) ?? "";
        }
    }

    private void Change(Func<bool> change)
    {
        lock (_lock)
        {
            if (change())
            {
                Volatile.Write(ref _number, _number + 1);
            }
        }
    }

    private static unsafe void Write(ref BusId into, string busId) => SharedReadings.Write(new Span<byte>(Unsafe.AsPointer(ref into.Text[0]), GpuBlock.BusIdBytes), "0000" + busId + ".0");
}
