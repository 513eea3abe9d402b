namespace NodeAgent.Commands;

/// <summary>
/// Why an agent does not act on what it received, in the order of the checks. Each has a stable name for logs, results and the audit
/// (<see cref="CommandRefusals.NameOf"/>); numbers are not stored.
/// </summary>
public enum CommandRefusal
{
    /// <summary>Not refused.</summary>
    None = 0,

    /// <summary>More than <see cref="Envelope.CommandEnvelope.MaxBytes"/>.</summary>
    TooLarge,

    /// <summary>No envelope or payload in canonical form, a field out of its bounds, or a field of a later version.</summary>
    Malformed,

    /// <summary>No action, or one that this version does not know.</summary>
    UnknownCommand,

    /// <summary>The payload names another risk class than the catalogue.</summary>
    WrongRisk,

    /// <summary>The window is empty, or longer than 15 minutes.</summary>
    WindowTooLong,

    /// <summary>The local policy says no; it says which rule decided.</summary>
    PolicyDenied,

    /// <summary>A key that the policy does not trust.</summary>
    UnknownKey,

    /// <summary>A trusted key, with another algorithm than its own.</summary>
    WrongAlgorithm,

    /// <summary>Two signatures of one person, by one key or by two.</summary>
    SignerTwice,

    /// <summary>Fewer people signed than class and policy ask for.</summary>
    TooFewApprovals,

    /// <summary>A signature does not belong to these bytes. One bad signature spoils the envelope, whatever the others are.</summary>
    BadSignature,

    /// <summary>Meant for another agent.</summary>
    WrongAgent,

    /// <summary>Meant for another boot of this node.</summary>
    WrongBoot,

    /// <summary>Its window has passed.</summary>
    Expired,

    /// <summary>Its window has not begun.</summary>
    NotYetValid,

    /// <summary>The local clock is not synchronised, and the class is R2 or R3.</summary>
    ClockUnsynchronised,

    /// <summary>This id was consumed before; see its result.</summary>
    Replayed,

    /// <summary>A later sequence was consumed before.</summary>
    SequenceTooLow,

    /// <summary>So many of its kind, or of all kinds, in the last hour or day that the local limits forbid one more.</summary>
    LimitReached,

    /// <summary>The command journal lost records: which commands were consumed is no longer known.</summary>
    JournalDamaged,

    /// <summary>The command journal cannot be written; without an intent on disk nothing is done.</summary>
    JournalFailed,

    /// <summary>An earlier command never came back; the actuator must be started again first.</summary>
    Stuck,

    /// <summary>Said by the agent: this node has no actuator, or it does not answer.</summary>
    NoActuator,

    /// <summary>Said by the agent: more commands wait than it takes.</summary>
    Busy,
}

public static class CommandRefusals
{
    /// <summary>A stable name in lower case with hyphens, like "sequence-too-low"; "" for None.</summary>
    public static string NameOf(CommandRefusal refusal) => refusal switch
    {
        CommandRefusal.None => "",
        CommandRefusal.TooLarge => "too-large",
        CommandRefusal.Malformed => "malformed",
        CommandRefusal.UnknownCommand => "unknown-command",
        CommandRefusal.WrongRisk => "wrong-risk",
        CommandRefusal.WindowTooLong => "window-too-long",
        CommandRefusal.PolicyDenied => "policy-denied",
        CommandRefusal.UnknownKey => "unknown-key",
        CommandRefusal.WrongAlgorithm => "wrong-algorithm",
        CommandRefusal.SignerTwice => "signer-twice",
        CommandRefusal.TooFewApprovals => "too-few-approvals",
        CommandRefusal.BadSignature => "bad-signature",
        CommandRefusal.WrongAgent => "wrong-agent",
        CommandRefusal.WrongBoot => "wrong-boot",
        CommandRefusal.Expired => "expired",
        CommandRefusal.NotYetValid => "not-yet-valid",
        CommandRefusal.ClockUnsynchronised => "clock-unsynchronised",
        CommandRefusal.Replayed => "replayed",
        CommandRefusal.SequenceTooLow => "sequence-too-low",
        CommandRefusal.LimitReached => "limit-reached",
        CommandRefusal.JournalDamaged => "journal-damaged",
        CommandRefusal.JournalFailed => "journal-failed",
        CommandRefusal.Stuck => "stuck",
        CommandRefusal.NoActuator => "no-actuator",
        CommandRefusal.Busy => "busy",
        _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "a refusal without a name"),
    };
}
