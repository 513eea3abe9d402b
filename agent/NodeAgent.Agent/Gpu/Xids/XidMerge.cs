using NodeAgent.Contracts.Series;
using NodeAgent.Contracts.Xids;
using NodeAgent.Sampling.Events;

namespace NodeAgent.Agent.Gpu.Xids;

/// <summary>An XID as NVML told it.</summary>
internal readonly record struct NvmlXid(int Number, string Pci, string Uuid, long AtUnixMs, int RecoveryAction, uint GpuInstance, uint ComputeInstance);

/// <summary>
/// Makes one event of what two routes say of one XID. The kernel's record has the text, the process and a number that makes it the same
/// event for ever; NVML's has the GPU's UUID and the driver's recovery action. They belong together where GPU and number agree within two
/// seconds. What only NVML says waits one look for the kernel's record, then goes without.
/// </summary>
internal sealed class XidMerge(XidPolicy policy, Func<string, string> uuidOf, bool hasKernelLog)
{
    internal const long WindowMs = 2_000;

    // Long enough for the kernel log's reader to have looked again; short enough for the event to be there within a second.
    private const long HoldMs = 300;
    private const int MostPending = 256;

    private readonly List<NvmlXid> _pending = [];
    private readonly List<(HostEvent Event, bool IsMatched)> _fromKernel = [];
    private readonly List<NvmlXid> _alone = [];

    /// <summary>Records that both routes told, made one.</summary>
    internal long Merged { get; private set; }

    /// <summary>Takes what came since the last look and gives what is to be told.</summary>
    internal void Merge(List<HostEvent> kernel, List<NvmlXid> nvml, long nowUnixMs, ICollection<HostEvent> into)
    {
        if (kernel.Count + nvml.Count + _pending.Count == 0)
        {
            return;
        }

        Forget(nowUnixMs);
        foreach (NvmlXid xid in nvml)
        {
            if (!MatchKernel(xid))
            {
                _pending.Add(xid);
            }
        }

        foreach (HostEvent happened in kernel)
        {
            TakeKernel(happened, into);
        }

        for (int i = 0; i < _pending.Count; i++)
        {
            if (!hasKernelLog || nowUnixMs - _pending[i].AtUnixMs >= HoldMs || _pending.Count > MostPending)
            {
                NvmlXid xid = _pending[i];
                _pending.RemoveAt(i--);
                _alone.Add(xid);
                into.Add(Alone(xid));
            }
        }
    }

    private void TakeKernel(HostEvent happened, ICollection<HostEvent> into)
    {
        string pci = Supervision.GpuOrders.Normalize(happened.Attribute("pci"));
        if (!int.TryParse(happened.Attribute("number"), out int number))
        {
            into.Add(happened);
            return;
        }

        int told = _alone.FindIndex(xid => Same(xid, number, pci, happened.WallUnixMs));
        if (told >= 0)
        {
            _alone.RemoveAt(told); // told already, without its text; not twice
            Merged++;
            return;
        }

        int waiting = _pending.FindIndex(xid => Same(xid, number, pci, happened.WallUnixMs));
        NvmlXid? partner = waiting >= 0 ? _pending[waiting] : null;
        if (waiting >= 0)
        {
            _pending.RemoveAt(waiting);
            Merged++;
        }

        into.Add(happened with { Attributes = Complete(happened.Attributes, number, pci, partner, partner is null ? "kernel" : "kernel+nvml"), Severity = SeverityOf(policy.Judge(number, partner?.RecoveryAction ?? -1)) });
        _fromKernel.Add((happened, partner is not null));
    }

    // The kernel's record came a look earlier.
    private bool MatchKernel(NvmlXid xid)
    {
        int earlier = _fromKernel.FindIndex(known => !known.IsMatched && int.TryParse(known.Event.Attribute("number"), out int number)
            && Same(xid, number, Supervision.GpuOrders.Normalize(known.Event.Attribute("pci")), known.Event.WallUnixMs));
        if (earlier < 0)
        {
            return false;
        }

        _fromKernel[earlier] = (_fromKernel[earlier].Event, true);
        Merged++;
        return true;
    }

    private HostEvent Alone(NvmlXid xid) => new(
        HostEventKind.Xid, SeverityOf(policy.Judge(xid.Number, xid.RecoveryAction)),
        $"NVML: Xid (PCI:{xid.Pci}): {xid.Number}, {XidCatalogue.Embedded.Find(xid.Number)?.Name ?? "not in the catalogue"}; the kernel log has no record of it",
        Complete([new Label("number", xid.Number.ToString()), new Label("pci", xid.Pci)], xid.Number, xid.Pci, xid, "nvml"), xid.AtUnixMs, BootId, KernelSequence: null);

    /// <summary>For events that the kernel does not stamp.</summary>
    internal string BootId { get; init; } = "";

    private Label[] Complete(IReadOnlyList<Label> known, int number, string pci, NvmlXid? nvml, string route)
    {
        XidVerdict verdict = policy.Judge(number, nvml?.RecoveryAction ?? -1);
        XidEntry? entry = XidCatalogue.Embedded.Find(number);
        Dictionary<string, string> all = known.ToDictionary(label => label.Name, label => label.Value, StringComparer.Ordinal);
        all["pci"] = pci;
        all["uuid"] = nvml?.Uuid is { Length: > 0 } uuid ? uuid : uuidOf(pci);
        all["name"] = entry?.Name ?? "";
        all["class"] = entry?.Class ?? "";
        all["action"] = verdict.Action;
        all["action_source"] = verdict.Source;
        all["catalogue"] = XidCatalogue.Embedded.Version.ToString();
        all["route"] = route;
        if (nvml is { } xid)
        {
            all["recovery_action"] = xid.RecoveryAction < 0 ? "" : xid.RecoveryAction.ToString();
            all["gpu_instance"] = xid.GpuInstance == uint.MaxValue ? "" : xid.GpuInstance.ToString();
            all["compute_instance"] = xid.ComputeInstance == uint.MaxValue ? "" : xid.ComputeInstance.ToString();
        }

        Label[] labels = [.. all.Where(pair => pair.Value.Length > 0).Select(pair => new Label(pair.Key, pair.Value))];
        Array.Sort(labels);
        return labels;
    }

    private void Forget(long nowUnixMs)
    {
        _fromKernel.RemoveAll(known => nowUnixMs - known.Event.WallUnixMs > 2 * WindowMs);
        _alone.RemoveAll(xid => nowUnixMs - xid.AtUnixMs > 10 * WindowMs);
    }

    private static bool Same(in NvmlXid xid, int number, string pci, long atUnixMs) =>
        xid.Number == number && xid.Pci == pci && Math.Abs(xid.AtUnixMs - atUnixMs) <= WindowMs;

    private static EventSeverity SeverityOf(XidVerdict verdict) => verdict.Severity switch
    {
        "info" => EventSeverity.Info,
        "warning" => EventSeverity.Warning,
        "critical" => EventSeverity.Critical,
        _ => EventSeverity.Error,
    };
}
