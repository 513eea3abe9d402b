using NodeAgent.V1;

namespace NodeAgent.Aggregator.Commands;

/// <summary>One node's command within a rollout. Under the desk's lock.</summary>
/// <param name="node">Its name.</param>
/// <param name="wave">Its wave, from 0.</param>
/// <param name="envelope">The whole envelope; an approval adds a signature to it.</param>
/// <param name="command">The payload, decoded.</param>
internal sealed class RolloutTarget(string node, int wave, SignedCommand envelope, Command command)
{
    internal string Node { get; } = node;

    internal int Wave { get; } = wave;

    internal SignedCommand Envelope { get; } = envelope;

    internal Command Command { get; } = command;

    internal TargetPhase Phase { get; set; } = TargetPhase.Waiting;

    internal CommandStage Stage { get; set; }

    internal CommandResult? Result { get; set; }

    internal string Detail { get; set; } = "";

    /// <summary>The aggregator's clock when its end was heard of; 0: not yet, or before a restart.</summary>
    internal long EndedUnixMs { get; set; }

    /// <summary>The connection it was last sent on; null: on none since the aggregator started.</summary>
    internal ICommandOutlet? SentOn { get; set; }

    internal bool HasEnded => Phase is TargetPhase.Succeeded or TargetPhase.Failed or TargetPhase.Skipped or TargetPhase.Unknown;

    internal bool HasFailed => Phase is TargetPhase.Failed or TargetPhase.Unknown;
}
