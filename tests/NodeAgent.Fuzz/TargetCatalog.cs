using NodeAgent.Fuzz.Engine;
using NodeAgent.Fuzz.Targets;

namespace NodeAgent.Fuzz;

/// <summary>Every target. A new parser gets its line here; a test misses it otherwise.</summary>
internal static class TargetCatalog
{
    internal static IReadOnlyList<IFuzzTarget> All { get; } =
    [
        new BlockTarget(),
        new IntakeTarget(),
        new WalTarget(),
        new LinkReplyTarget(),
        new IdentityTarget(),
        new EnrolmentTarget(),
        new RpcMessageTarget(),
        new RpcHeaderTarget(),
        new Http2SessionTarget(),
        new SegmentTarget(),
        new QueryTarget(),
        new ConfigurationTarget(),
        new UnitTextTarget(),
        new KernelTextTarget(),
        new BackupTarget(),
        new RemoteAnswerTarget(),
    ];
}
