using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Views;

/// <summary>How a person sees one node: facts in two columns, then a small table for each list.</summary>
internal static class NodeDetailView
{
    public static readonly Listing<NodeDetail> Listing = new(
        "Node",
        [.. NodeListing.Nodes.Columns.Select(Lift), .. InventoryColumns],
        CtlJson.Default.NodeDetail,
        "no node");

    private static readonly Column<SamplerItem>[] SamplerColumns =
    [
        new("SAMPLER", "name", sampler => sampler.Name, sampler => sampler.Name),
        new("SERIES", "series", sampler => Human.Grouped(sampler.Series), sampler => Raw.Whole(sampler.Series)) { RightAligned = true },
        new("EVERY", "intervalMs", sampler => sampler.IntervalMs == 0 ? Cell.None : DurationText.Exact(TimeSpan.FromMilliseconds(sampler.IntervalMs)),
            sampler => Raw.Whole(sampler.IntervalMs)) { RightAligned = true },
        new("AGE", "ageMs", sampler => sampler.AgeMs is { } age ? Human.Age(age) : Cell.None, sampler => Raw.Moment(sampler.AgeMs)) { RightAligned = true },
    ];

    private static readonly Column<InterfaceItem>[] InterfaceColumns =
    [
        new("NETWORK", "name", nic => nic.Name, nic => nic.Name),
        new("SPEED", "speedBitsPerSecond", nic => nic.SpeedBitsPerSecond is { } speed ? Human.Value(speed, "bits_per_second") : Cell.None,
            nic => Raw.Number(nic.SpeedBitsPerSecond)) { RightAligned = true },
        new("MTU", "mtu", nic => Raw.Whole(nic.Mtu), nic => Raw.Whole(nic.Mtu)) { RightAligned = true, DropOrder = 3 },
        new("DRIVER", "driver", nic => NodeListing.OrNone(nic.Driver), nic => nic.Driver) { DropOrder = 2 },
        new("RDMA", "rdmaDevice", nic => NodeListing.OrNone(nic.RdmaDevice), nic => nic.RdmaDevice),
        new("NUMA", "numaNode", nic => Numa(nic.NumaNode), nic => Raw.Number(nic.NumaNode)) { RightAligned = true },
        new("PCI", "pciAddress", nic => NodeListing.OrNone(nic.PciAddress), nic => nic.PciAddress) { DropOrder = 4 },
        new("MAC", "mac", nic => NodeListing.OrNone(nic.Mac), nic => nic.Mac) { DropOrder = 5 },
    ];

    private static readonly Column<DiskItem>[] DiskColumns =
    [
        new("DISK", "name", disk => disk.Name, disk => disk.Name),
        new("SIZE", "sizeBytes", disk => Human.Bytes(disk.SizeBytes), disk => Raw.Whole(disk.SizeBytes)) { RightAligned = true },
        new("TYPE", "rotational", disk => disk.Rotational ? "rotating" : "solid state", disk => disk.Rotational ? "true" : "false"),
        new("MODEL", "model", disk => NodeListing.OrNone(disk.Model), disk => disk.Model) { ShrinkTo = 12 },
        new("SERIAL", "serial", disk => NodeListing.OrNone(disk.Serial), disk => disk.Serial) { DropOrder = 2 },
        new("PCI", "pciAddress", disk => NodeListing.OrNone(disk.PciAddress), disk => disk.PciAddress) { DropOrder = 3 },
    ];

    private static readonly Column<AcceleratorItem>[] AcceleratorColumns =
    [
        new("ACCELERATOR", "pciAddress", device => device.PciAddress, device => device.PciAddress),
        new("PCI ID", "vendorId", device => $"{device.VendorId}:{device.DeviceId}", device => device.VendorId),
        new("DRIVER", "driver", device => device.Driver.Length == 0 ? new Cell("none bound", Tone.Warn) : device.Driver, device => device.Driver),
        new("NUMA", "numaNode", device => Numa(device.NumaNode), device => Raw.Number(device.NumaNode)) { RightAligned = true },
    ];

    private static readonly Column<NumaItem>[] NumaColumns =
    [
        new("NUMA NODE", "id", numa => Raw.Whole(numa.Id), numa => Raw.Whole(numa.Id)) { RightAligned = true },
        new("MEMORY", "memoryBytes", numa => Human.Bytes(numa.MemoryBytes), numa => Raw.Whole(numa.MemoryBytes)) { RightAligned = true },
        new("CPUS", "cpus", numa => numa.Cpus, numa => numa.Cpus) { ShrinkTo = 8 },
    ];

    public static StyledLines Render(NodeDetail detail, bool wide, int width, long wallUnixMs)
    {
        NodeItem node = detail.Node;
        Facts facts = new(width);
        facts.Add("Name", new Cell(node.Name, Tone.Strong));
        facts.Add("State", new Cell(node.State, Words.ToneOfState(node.State)), node.AgeMs is { } age ? $", newest frame {Human.Age(age)} ago" : ", no frame yet");
        facts.Add("Agent", NodeListing.OrNone(node.AgentVersion));
        facts.Add("Series", Human.Grouped(node.Series));
        facts.Add("Dropped records", new Cell(Human.Grouped(node.DroppedRecords), node.DroppedRecords == 0 ? Tone.Normal : Tone.Warn));
        facts.Add("Clock", new Cell(node.Clock, Words.ToneOfClock(node.Clock)), $", {(node.ClockOffsetMs > 0 ? "+" : "")}{Human.Seconds(node.ClockOffsetMs / 1000.0)} from the aggregator's");
        facts.Add("First seen", MomentText.DateAndClock(node.FirstReceivedUnixMs ?? 0), " UTC");
        StyledLines lines = facts.Render();
        if (detail.Inventory is { } inventory) AddInventory(lines, inventory, wide, width, wallUnixMs);
        else Paragraph(lines, "The agent has not sent its inventory yet.");
        AddTable(lines, SamplerColumns, detail.Samplers, wide, width);
        return lines;
    }

    private static void AddInventory(StyledLines lines, InventoryItem inventory, bool wide, int width, long wallUnixMs)
    {
        lines.Add();
        Facts facts = new(width);
        facts.Add("Host", NodeListing.OrNone(inventory.HostName), inventory.Virtualization is "" ? "" : $", {Machine(inventory.Virtualization)}");
        facts.Add("System", NodeListing.OrNone(inventory.Os));
        facts.Add("Kernel", NodeListing.OrNone(inventory.Kernel), inventory.Architecture is "" ? "" : $" {inventory.Architecture}");
        if (inventory.BootUnixMs is { } boot) facts.Add("Up", Human.Age(wallUnixMs - boot), $", since {MomentText.DateAndClock(boot)} UTC");
        if (inventory.Cpu is { } cpu) facts.Add("Processor", NodeListing.OrNone(cpu.Model), Processor(cpu));
        facts.Add("Memory", inventory.MemoryBytes is { } memory ? Human.Bytes(memory) : Cell.None);
        if (inventory.Board is { } board) facts.Add("Board", NodeListing.OrNone($"{board.Vendor} {board.Product}".Trim()), board.BiosVersion is "" ? "" : $", BIOS {board.BiosVersion}");
        lines.Append(facts.Render());
        AddTable(lines, AcceleratorColumns, inventory.Accelerators, wide, width);
        AddTable(lines, InterfaceColumns, inventory.NetworkInterfaces, wide, width);
        AddTable(lines, DiskColumns, inventory.Disks, wide, width);
        if (inventory.NumaNodes.Count > 1 || wide) AddTable(lines, NumaColumns, inventory.NumaNodes, wide, width);
    }

    private static void AddTable<T>(StyledLines lines, Column<T>[] columns, IReadOnlyList<T> items, bool wide, int width)
    {
        if (items.Count == 0) return;
        lines.Add();
        lines.Append(TableView.Render(columns, items, wide, width));
    }

    private static void Paragraph(StyledLines lines, string text)
    {
        lines.Add();
        lines.Add(new Cell(text, Tone.Dim));
    }

    private static string Machine(string virtualization) => virtualization == "none" ? "bare metal" : virtualization;

    private static string Processor(CpuItem cpu) =>
        $", {Plural(cpu.Sockets, "socket")}, {Plural(cpu.Cores, "core")}, {Plural(cpu.Threads, "thread")}"
        + (cpu.MaxHertz is { } hertz ? $", up to {Human.Value(hertz, "hertz")}" : "");

    private static string Plural(uint count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    private static Cell Numa(int? node) => node is { } id ? Raw.Whole((long)id) : Cell.None;

    private static Column<NodeDetail> Lift(Column<NodeItem> column) =>
        new(column.Header, column.Name, detail => column.Human(detail.Node), detail => column.Raw(detail.Node));

    private static IEnumerable<Column<NodeDetail>> InventoryColumns =>
    [
        Text("HOST", "hostName", inventory => inventory.HostName),
        Text("KERNEL", "kernel", inventory => inventory.Kernel),
        Text("OS", "os", inventory => inventory.Os),
        Text("CPU", "cpuModel", inventory => inventory.Cpu?.Model ?? ""),
        Text("THREADS", "cpuThreads", inventory => inventory.Cpu is { } cpu ? Raw.Whole(cpu.Threads) : ""),
        Text("MEMORY", "memoryBytes", inventory => inventory.MemoryBytes is { } memory ? Raw.Whole(memory) : ""),
        Text("ACCELERATORS", "accelerators", inventory => Raw.Whole((long)inventory.Accelerators.Count)),
    ];

    private static Column<NodeDetail> Text(string header, string name, Func<InventoryItem, string> read) =>
        new(header, name, detail => detail.Inventory is { } inventory ? read(inventory) : Cell.None, detail => detail.Inventory is { } inventory ? read(inventory) : "");
}
