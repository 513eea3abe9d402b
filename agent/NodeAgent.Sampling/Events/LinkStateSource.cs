using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Events;

/// <summary>
/// Link changes of network adapters and bonds, from the kernel's own count of them: a link that went down and up between two
/// looks is seen too, which the state alone would hide, and so are the links of drivers that log nothing.
/// </summary>
public sealed class LinkStateSource : IHostEventSource
{
    private const int MaxInterfaces = 256; // adapters and bonds only; no known host has as many

    private readonly string _directory;
    private readonly string _bootId;
    private readonly DirectoryNames _names;
    private readonly KernelBuffer _buffer = new(Sysfs.MaxAttributeBytes, Sysfs.MaxAttributeBytes);
    private readonly Dictionary<string, ulong> _known = [];
    private readonly List<Link> _links = [];
    private readonly DeviceLook _look = new();
    private ulong _builtFor;
    private bool _isBuilt;

    /// <param name="roots">Where sysfs is.</param>
    /// <param name="bootId">The present boot.</param>
    public LinkStateSource(HostRoots roots, string bootId)
    {
        _directory = Path.Combine(roots.Sys, "class/net");
        _bootId = bootId;
        _names = new DirectoryNames(_directory);
    }

    public string Name => "link_state";

    public void Drain(in SampleTime now, ICollection<HostEvent> into)
    {
        if ((_look.IsDue(now) || !_isBuilt) && !TryFollow())
        {
            return;
        }

        foreach (Link link in _links)
        {
            if (!TryRead(link.Changes, out ulong changes))
            {
                _isBuilt &= link.Changes.LastErrno != LibC.ENODEV; // replaced by another of the same name: open that one next time
            }
            else if (changes != link.Count)
            {
                into.Add(Event(link, changes, now));
                link.Count = changes;
            }
        }
    }

    // False: there are no interfaces to list.
    private bool TryFollow()
    {
        if (!_names.TryRead(out ulong names))
        {
            return false;
        }

        if (!_isBuilt || names != _builtFor)
        {
            Rebuild();
            _builtFor = names;
            _isBuilt = true;
        }

        return true;
    }

    private HostEvent Event(Link link, ulong changes, in SampleTime now)
    {
        bool isUp = TryRead(link.Carrier, out ulong carrier) && carrier == 1; // refused while administratively down
        ulong difference = unchecked((uint)(changes - link.Count)); // the kernel's count is an int
        return new HostEvent(
            isUp ? HostEventKind.LinkUp : HostEventKind.LinkDown,
            isUp ? EventSeverity.Info : EventSeverity.Warning,
            $"{link.Name}: link is {(isUp ? "up" : "down")}, {difference} change(s) since the last look",
            [new Label("changes", difference.ToString()), new Label("interface", link.Name)],
            now.WallUnixMs,
            _bootId,
            KernelSequence: null);
    }

    private static bool TryRead(KernelFile? file, out ulong value)
    {
        value = 0;
        return file is not null && Sysfs.TryRead(file, out ReadOnlySpan<byte> text) && new Utf8Cursor(text).TryReadUInt64(out value);
    }

    private void Rebuild()
    {
        foreach (Link link in _links)
        {
            _known[link.Name] = link.Count;
            link.Changes.Dispose();
            link.Carrier?.Dispose();
        }

        _links.Clear();
        foreach (string name in Sysfs.Names(_directory))
        {
            if (_links.Count < MaxInterfaces && IsPhysicalOrBond(name) && Open(name, "carrier_changes") is { } changes
                && TryRead(changes, out ulong count))
            {
                // One that was there before keeps its count, so that another interface coming or going hides no change.
                _links.Add(new Link(name, changes, Open(name, "carrier")) { Count = _known.GetValueOrDefault(name, count) });
            }
        }

        _known.Clear();
    }

    private bool IsPhysicalOrBond(string name) =>
        Path.Exists(Path.Combine(_directory, name, "device")) || Path.Exists(Path.Combine(_directory, name, "bonding"));

    private KernelFile? Open(string name, string attribute) =>
        KernelFile.TryOpen(Path.Combine(_directory, name, attribute), _buffer, wholeInOneRead: true);

    private sealed class Link(string name, KernelFile changes, KernelFile? carrier)
    {
        public string Name => name;

        public KernelFile Changes => changes;

        public KernelFile? Carrier => carrier;

        public ulong Count { get; set; }
    }
}
