using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using NodeAgent.Contracts.Identity;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;

namespace NodeAgent.Aggregator.Identity.Registry;

/// <summary>
/// Who may be whom: tokens, enrolled members, revocations. Reads take no lock and are made for every handshake and call; changes are few,
/// one at a time, and on the disk before anybody is told of them.
/// <para>
/// A certificate carries its generation. Of each member the registry knows the generation that was last seen in use, and the one that it
/// issued after it. The holder of the former may ask again, because answers get lost; once the latter was used, whoever comes with the
/// former is a copy, or the original of one, and nobody here can tell which: both are shut out.
/// </para>
/// </summary>
internal sealed partial class IdentityRegistry : IDisposable
{
    /// <summary>Tokens that ended, and members that were revoked, are kept for so long: no certificate of theirs can be renewed any more.</summary>
    internal static readonly TimeSpan Remembrance = TimeSpan.FromDays(30);

    private readonly ConcurrentDictionary<string, TokenEntry> _tokens = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Guid, MemberEntry> _members = new();
    private readonly ConcurrentDictionary<(FleetRole Role, string Name), MemberEntry> _holders = new(); // of each name the newest
    private readonly Lock _changing = new();
    private readonly TimeProvider _time;
    private readonly IdentityLog _log;
    private IdentityJournal _journal = null!; // from TryOpen on

    private IdentityRegistry(TimeProvider time, IdentityLog log) => (_time, _log) = (time, log);

    /// <summary>Somebody is out who was in: ends their connections, and says how many. Called on the changing thread, outside the lock.</summary>
    internal Func<int> Excluded { get; set; } = () => 0;

    /// <summary>For a backup.</summary>
    internal DurableLog Journal => _journal.Log;

    /// <summary>Records that said nothing to this version.</summary>
    internal long Unread { get; private set; }

    internal IEnumerable<TokenEntry> Tokens => _tokens.Values;

    /// <summary>Of each name the newest enrolment.</summary>
    internal IEnumerable<MemberEntry> Holders => _holders.Values;

    /// <summary>Every enrolment that is remembered.</summary>
    internal IEnumerable<MemberEntry> Members => _members.Values;

    /// <summary>Opens the journal and takes what is in it.</summary>
    internal static bool TryOpen(
        JournalOptions options, IFileOps files, TimeProvider time, IdentityLog log,
        [NotNullWhen(true)] out IdentityRegistry? registry, [NotNullWhen(false)] out OpenError? error)
    {
        IdentityRegistry opened = new(time, log);
        registry = null;
        if (!IdentityJournal.TryOpen(options, files, time, opened.Take, out IdentityJournal? journal, out error))
        {
            return false;
        }

        opened._journal = journal;
        registry = opened;
        if (journal.Recovery.LostRecords > 0 || opened.Unread > 0)
        {
            log.Damaged((long)journal.Recovery.LostRecords, opened.Unread);
        }

        return true;
    }

    /// <summary>The newest enrolment of a name; null: there was none.</summary>
    internal MemberEntry? Holder(FleetRole role, string name) => _holders.GetValueOrDefault((role, name));

    /// <summary>Why a certificate that our CA signed is not let in; null: nothing is known against it. Changes nothing, takes no lock.</summary>
    internal string? DenialOf(PeerCertificate peer)
    {
        FleetIdentity identity = peer.Identity;
        if (peer.Credential is not { } credential)
        {
            return Holder(identity.Role, identity.Name) is not { } holder ? null
                : holder.Fate == MemberFate.Revoked && holder.Uuid == Guid.Empty ? $"{identity} was revoked: {holder.Reason}"
                : $"{identity} is enrolled, and this certificate was made by hand";
        }

        return !_members.TryGetValue(credential.Uuid, out MemberEntry? member) ? $"no enrolment {credential.Uuid} of {identity} is known here"
            : member.Role != identity.Role || member.Name != identity.Name ? $"enrolment {credential.Uuid} is {member.Member}, not {identity}"
            : member.Fate == MemberFate.Revoked ? $"{identity} was revoked: {member.Reason}"
            : member.Fate == MemberFate.Quarantined ? $"{identity} is quarantined: {member.Reason}"
            : null;
    }

    /// <summary>
    /// As <see cref="DenialOf"/>, for somebody who has proved to hold the certificate's key: notes which generation is in use, and finds
    /// copies.
    /// </summary>
    internal string? Admit(PeerCertificate peer)
    {
        if (DenialOf(peer) is { } denial)
        {
            return denial;
        }

        if (peer.Credential is not { } credential || IsCurrent(_members[credential.Uuid], peer, credential))
        {
            return null;
        }

        string? refused;
        lock (_changing)
        {
            refused = JudgeNeedsLock(_members[credential.Uuid], peer, credential);
        }

        if (refused is not null)
        {
            Excluded();
        }

        return refused;
    }

    /// <summary>Drops what nobody needs to be remembered, and tidies the journal up when most of it is superseded. About once a minute.</summary>
    internal void Maintain()
    {
        DateTimeOffset forgotten = _time.GetUtcNow() - Remembrance;
        foreach (TokenEntry token in Tokens.Where(token => (token.Ended ?? token.Expires) < forgotten))
        {
            _tokens.TryRemove(token.Id, out _);
        }

        foreach (MemberEntry member in Members.Where(member => member.Fate == MemberFate.Revoked && member.Changed < forgotten && Latest(member) < forgotten))
        {
            _members.TryRemove(member.Uuid, out _);
        }

        if (!_journal.IsUntidy(_tokens.Count + _members.Count + _holders.Count))
        {
            return;
        }

        try
        {
            lock (_changing)
            {
                _journal.Rewrite(
                [
                    .. _tokens.Values.Select(token => (IdentityRecordKind.Token, IdentityRecord.Write(token))),
                    .. _members.Values.Select(member => (IdentityRecordKind.Member, IdentityRecord.Write(member))),
                    .. _holders.Values.Where(holder => !_members.ContainsKey(holder.Uuid)).Select(holder => (IdentityRecordKind.Member, IdentityRecord.Write(holder))),
                ]);
            }
        }
        catch (IdentityJournalException e)
        {
            _log.DiskFails(e.Message);
        }
    }

    public void Dispose() => _journal.Dispose();

    private static DateTimeOffset Latest(MemberEntry member) => member.Pending is { } pending && pending.Expires > member.Expires ? pending.Expires : member.Expires;

    private static bool IsCurrent(MemberEntry member, PeerCertificate peer, FleetCredential credential) =>
        credential.Generation == member.Generation && peer.Serial == member.Serial;

    // Under _changing, so that a certificate is not confirmed while the next one is being issued.
    private string? JudgeNeedsLock(MemberEntry member, PeerCertificate peer, FleetCredential credential)
    {
        if (member.Fate != MemberFate.Active || IsCurrent(member, peer, credential))
        {
            return DenialOf(peer);
        }

        bool isNext = credential.Generation == member.Generation + 1;
        if (isNext && member.Pending?.Serial == peer.Serial)
        {
            PutWhateverNeedsLock(InUse(member, peer, credential) with { Bundle = member.PendingBundle ?? member.Bundle });
            return null;
        }

        if (credential.Generation > member.Generation + 1 || (isNext && member.Pending is null))
        {
            // Our own CA signed it, and we do not know of it: this registry was restored from before that.
            _log.Behind(member.Member, member.Generation, credential.Generation);
            PutWhateverNeedsLock(InUse(member, peer, credential));
            return null;
        }

        string reason = $"generation {credential.Generation} (serial {peer.Serial}) was used after generation {Math.Max(member.Generation, credential.Generation)} was issued anew: two hosts have this identity";
        _log.Cloned(member.Member, member.Uuid, credential.Generation, member.Generation);
        PutWhateverNeedsLock(member with { Fate = MemberFate.Quarantined, Reason = reason, Changed = _time.GetUtcNow() });
        return $"{member.Member} is quarantined: {reason}";
    }

    private static MemberEntry InUse(MemberEntry member, PeerCertificate peer, FleetCredential credential) => member with
    {
        Generation = credential.Generation, Serial = peer.Serial, Expires = peer.NotAfter, Pending = null, PendingBundle = null,
    };

    private void PutNeedsLock(TokenEntry token)
    {
        _journal.Append(IdentityRecordKind.Token, IdentityRecord.Write(token));
        _tokens[token.Id] = token;
    }

    private void PutNeedsLock(MemberEntry member)
    {
        _journal.Append(IdentityRecordKind.Member, IdentityRecord.Write(member));
        Hold(member);
    }

    private void Hold(MemberEntry member)
    {
        if (member.Uuid != Guid.Empty)
        {
            _members[member.Uuid] = member;
        }

        // Of a name the newest enrolment counts; one that was replaced is only remembered.
        if (!_holders.TryGetValue((member.Role, member.Name), out MemberEntry? holder) || holder.Uuid == member.Uuid || member.Enrolled >= holder.Enrolled)
        {
            _holders[(member.Role, member.Name)] = member;
        }
    }

    // Nobody waits for the disk here, and what it says changes nothing: who is found to be a copy is out at once, and a generation that is
    // not written down is seen again.
    private void PutWhateverNeedsLock(MemberEntry member)
    {
        Hold(member);
        try
        {
            _journal.Append(IdentityRecordKind.Member, IdentityRecord.Write(member));
        }
        catch (IdentityJournalException e)
        {
            _log.DiskFails(e.Message);
        }
    }

    private void Take(IdentityRecordKind kind, byte[] payload)
    {
        switch (kind)
        {
            case IdentityRecordKind.Token when IdentityRecord.ReadToken(payload) is { } token:
                _tokens[token.Id] = token;
                break;
            case IdentityRecordKind.Member when IdentityRecord.ReadMember(payload) is { } member:
                Hold(member);
                break;
            default:
                Unread++;
                break;
        }
    }
}
