using NodeAgent.Contracts.Identity;

namespace NodeAgent.Aggregator.Identity.Registry;

/// <content>What admins do. Everything is on the disk before it returns, or an <see cref="IdentityJournalException"/> says that it may not be.</content>
internal sealed partial class IdentityRegistry
{
    /// <summary>A token's life when nobody says otherwise.</summary>
    internal static readonly TimeSpan UsualTokenLife = TimeSpan.FromHours(1);

    /// <summary>And at most.</summary>
    internal static readonly TimeSpan LongestTokenLife = TimeSpan.FromHours(24);

    internal TokenEntry CreateToken(EnrolmentToken token, FleetRole role, string name, TimeSpan life, string by)
    {
        DateTimeOffset now = _time.GetUtcNow();
        TokenEntry entry = new(token.Id, token.HashSecret(), role, name, by, now, now + life);
        lock (_changing)
        {
            PutNeedsLock(entry);
        }

        _journal.Commit();
        _log.TokenCreated(entry.Id, FleetIdentity.RoleName(role), name, by, entry.Expires);
        return entry;
    }

    /// <summary>False: there is no such token.</summary>
    internal bool RevokeToken(string id, string by)
    {
        lock (_changing)
        {
            if (!_tokens.TryGetValue(id, out TokenEntry? token))
            {
                return false;
            }

            if (token.Fate == TokenFate.Open)
            {
                PutNeedsLock(token with { Fate = TokenFate.Revoked, Ended = _time.GetUtcNow(), EndedBy = by });
            }
        }

        _journal.Commit();
        _log.TokenRevoked(id, by);
        return true;
    }

    /// <summary>Null: nobody has the name. A revoked member stays revoked.</summary>
    /// <param name="role">Of the member.</param>
    /// <param name="name">Of the member.</param>
    /// <param name="reason">For the record.</param>
    /// <param name="by">Admin.</param>
    /// <param name="isUnknownFine">Where nobody has the name, it is closed to certificates that were made by hand.</param>
    /// <param name="connections">That ended.</param>
    internal MemberEntry? Revoke(FleetRole role, string name, string reason, string by, bool isUnknownFine, out int connections)
    {
        DateTimeOffset now = _time.GetUtcNow();
        MemberEntry? member;
        connections = 0;
        lock (_changing)
        {
            member = Holder(role, name) ?? (isUnknownFine ? new MemberEntry(Guid.Empty, role, name, now) : null);
            if (member is null)
            {
                return null;
            }

            if (member.Fate != MemberFate.Revoked)
            {
                member = member with { Fate = MemberFate.Revoked, Reason = Because(reason, by), Changed = now, Pending = null, PendingBundle = null };
                PutNeedsLock(member);
            }
        }

        connections = Excluded();
        _log.Revoked(member.Member, member.Uuid, by, reason);
        _journal.Commit();
        return member;
    }

    /// <summary>Null: nobody has the name, or it is revoked.</summary>
    internal MemberEntry? Quarantine(FleetRole role, string name, string reason, string by, bool lift, out int connections)
    {
        MemberEntry? member;
        connections = 0;
        lock (_changing)
        {
            member = Holder(role, name);
            if (member is null or { Fate: MemberFate.Revoked })
            {
                return null;
            }

            member = member with
            {
                Fate = lift ? MemberFate.Active : MemberFate.Quarantined,
                Reason = lift ? "" : Because(reason, by),
                Changed = _time.GetUtcNow(),
            };
            PutNeedsLock(member);
        }

        connections = Excluded();
        if (lift)
        {
            _log.Lifted(member.Member, member.Uuid, by, reason);
        }
        else
        {
            _log.Quarantined(member.Member, member.Uuid, by, reason);
        }

        _journal.Commit();
        return member;
    }

    private string Because(string reason, string by) => $"by {by} at {_time.GetUtcNow():u}{(reason.Length > 0 ? $", {reason}" : "")}";
}
