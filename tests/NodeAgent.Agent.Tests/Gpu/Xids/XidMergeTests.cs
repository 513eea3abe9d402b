using NodeAgent.Agent.Gpu.Xids;
using NodeAgent.Contracts.Series;
using NodeAgent.Contracts.Xids;
using NodeAgent.Sampling.Events;

namespace NodeAgent.Agent.Tests.Gpu.Xids;

public sealed class XidMergeTests
{
    private const string Pci = "0000:18:00";
    private const long At = 1_795_252_800_000;

    private readonly XidMerge _merge = new(XidPolicy.Default, _ => "GPU-1", hasKernelLog: true);

    [Fact]
    public void BothRoutes_AtOneLook_AreOneEventWithTheKernelsIdentityAndTheDriversWord()
    {
        HostEvent xid = Assert.Single(Look(At, [Kernel(79, At, 4711)], [Nvml(79, At + 40, recoveryAction: 2)]));

        Assert.Equal(4711UL, xid.KernelSequence);
        Assert.Equal(("kernel+nvml", "restart_machine", "driver", "2", "GPU-9"),
            (xid.Attribute("route"), xid.Attribute("action"), xid.Attribute("action_source"), xid.Attribute("recovery_action"), xid.Attribute("uuid")));
        Assert.Equal(EventSeverity.Critical, xid.Severity);
        Assert.Empty(Look(At + 500, [], []));
    }

    [Fact]
    public void NvmlFirst_TheKernelsRecordALookLater_IsOneEventWithItsText()
    {
        Assert.Empty(Look(At + 10, [], [Nvml(79, At)]));

        HostEvent xid = Assert.Single(Look(At + 200, [Kernel(79, At, 1)], []));

        Assert.StartsWith("NVRM: Xid", xid.Message);
        Assert.Empty(Look(At + 5000, [], []));
    }

    [Fact]
    public void KernelFirst_NvmlALookLater_IsToldOnce()
    {
        Assert.Single(Look(At + 10, [Kernel(79, At, 1)], []));

        Assert.Empty(Look(At + 500, [], [Nvml(79, At + 5)]));
        Assert.Empty(Look(At + 5000, [], []));
        Assert.Equal(1, _merge.Merged);
    }

    [Fact]
    public void OnlyNvml_IsHeldForOneLookAndThenToldWithTheCataloguesWords()
    {
        Assert.Empty(Look(At + 10, [], [Nvml(94, At)]));

        HostEvent xid = Assert.Single(Look(At + 510, [], []));
        Assert.Null(xid.KernelSequence);
        Assert.Equal(("nvml", "restart_app", "catalogue"), (xid.Attribute("route"), xid.Attribute("action"), xid.Attribute("action_source")));
        Assert.Empty(Look(At + 1500, [Kernel(94, At, 7)], [])); // it came after all: told already
    }

    [Fact]
    public void OnlyNvml_WithoutAKernelLog_IsToldAtOnce()
    {
        XidMerge merge = new(XidPolicy.Default, _ => "", hasKernelLog: false);
        List<HostEvent> told = [];

        merge.Merge([], [Nvml(94, At)], At + 10, told);

        Assert.Single(told);
    }

    [Fact]
    public void OnlyKernel_IsToldAtOnceWithTheUuidThatBelongsToTheBus()
    {
        HostEvent xid = Assert.Single(Look(At, [Kernel(13, At - 3_600_000, 1)], []));

        Assert.Equal(("kernel", "GPU-1", "restart_app"), (xid.Attribute("route"), xid.Attribute("uuid"), xid.Attribute("action")));
        Assert.Equal(EventSeverity.Warning, xid.Severity);
    }

    [Theory]
    [InlineData(79, "0000:20:00", 0)] // another GPU
    [InlineData(48, Pci, 0)] // another number
    [InlineData(79, Pci, 3000)] // too long after
    public void BothRoutes_OfDifferentThings_AreTwoEvents(int number, string pci, long laterMs)
    {
        List<HostEvent> told = Look(At, [Kernel(79, At, 1)], [Nvml(number, At + laterMs) with { Pci = pci }]);
        told.AddRange(Look(At + laterMs + 1000, [], []));

        Assert.Equal(2, told.Count);
    }

    [Fact]
    public void TwoRecordsOfTheKernel_ForOneEventOfNvml_AreBothTold()
    {
        List<HostEvent> told = Look(At, [Kernel(31, At, 1), Kernel(31, At + 5, 2)], [Nvml(31, At)]);
        told.AddRange(Look(At + 1000, [], []));

        Assert.Equal([1UL, 2UL], told.Select(xid => xid.KernelSequence!.Value));
    }

    private List<HostEvent> Look(long nowMs, List<HostEvent> kernel, List<NvmlXid> nvml)
    {
        List<HostEvent> told = [];
        _merge.Merge(kernel, nvml, nowMs, told);
        return told;
    }

    private static HostEvent Kernel(int number, long atMs, ulong sequence) => new(
        HostEventKind.Xid, EventSeverity.Error, $"NVRM: Xid (PCI:{Pci}): {number}, pid=1, name=python3, text",
        [new Label("number", number.ToString()), new Label("pci", Pci), new Label("pid", "1")], atMs, "boot", sequence);

    private static NvmlXid Nvml(int number, long atMs, int recoveryAction = -1) => new(number, Pci, "GPU-9", atMs, recoveryAction, uint.MaxValue, uint.MaxValue);
}
