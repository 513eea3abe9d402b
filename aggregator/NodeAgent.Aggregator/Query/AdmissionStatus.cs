using NodeAgent.Rpc.Server;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Query;

/// <summary>What became of new connections, as the status shows it.</summary>
internal static class AdmissionStatus
{
    internal static GetStatusResponse.Types.AdmissionStatus Of(RpcAdmission admission) => new()
    {
        AcceptedTotal = (ulong)admission.Accepted,
        RefusedRateTotal = (ulong)admission.RefusedRate,
        RefusedFullTotal = (ulong)admission.RefusedFull,
        HandshakesTotal = (ulong)admission.Handshakes,
        QueuedStepsTotal = (ulong)admission.Queued,
        TimedOutHandshakesTotal = (ulong)admission.TimedOut,
        FailedHandshakesTotal = (ulong)admission.Failed,
        FloodingTotal = (ulong)admission.EndedFlooding,
        PendingHandshakes = (uint)admission.PendingHandshakes,
        WaitingHandshakes = (uint)admission.WaitingHandshakes,
        OpenConnections = (uint)admission.OpenConnections,
    };
}
