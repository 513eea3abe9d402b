using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Aggregator.Identity.Registry;

/// <summary>What an issue came to: a certificate, or why there is none.</summary>
/// <param name="Certificate">DER; null: refused.</param>
/// <param name="Refusal">Why, for the log.</param>
internal readonly record struct IssueOutcome(byte[]? Certificate, string Refusal)
{
    internal static IssueOutcome Refused(string why) => new(null, why);
}

/// <content>Certificates against tokens, and against older certificates.</content>
internal sealed partial class IdentityRegistry
{
    // Compared with where no token has the id, so that the time says nothing.
    private static readonly byte[] NoSecret = RandomNumberGenerator.GetBytes(EnrolmentToken.SecretBytes);

    /// <summary>A token and a key against a first certificate. On the disk when this returns.</summary>
    /// <param name="presented">What was sent.</param>
    /// <param name="key">SubjectPublicKeyInfo of a key that the caller has proved to hold.</param>
    /// <param name="issuer">Signs.</param>
    /// <param name="bundle">Of the roots that go with the certificate.</param>
    /// <param name="address">Of the caller.</param>
    /// <exception cref="IdentityJournalException">The disk fails; the same key may ask again.</exception>
    internal IssueOutcome Join(EnrolmentToken presented, byte[] key, CertificateIssuer issuer, byte[] bundle, string address)
    {
        byte[] keyHash = SHA256.HashData(key);
        MemberEntry? replaced;
        IssueOutcome outcome;
        lock (_changing)
        {
            outcome = JoinNeedsLock(presented, key, keyHash, issuer, bundle, address, out replaced);
        }

        if (outcome.Certificate is null)
        {
            return outcome;
        }

        _journal.Commit();
        if (replaced is not null)
        {
            Excluded();
        }

        return outcome;
    }

    /// <summary>A new key against the next generation. On the disk when this returns.</summary>
    /// <param name="peer">The present certificate, admitted; it may have expired.</param>
    /// <param name="key">As in <see cref="Join"/>.</param>
    /// <param name="issuer">Signs.</param>
    /// <param name="bundle">Of the roots that go with the certificate.</param>
    /// <param name="held">Roots that the caller says it believes; null: it does not say.</param>
    /// <exception cref="IdentityJournalException">The disk fails; the same key may ask again.</exception>
    internal IssueOutcome Renew(PeerCertificate peer, byte[] key, CertificateIssuer issuer, byte[] bundle, byte[]? held)
    {
        byte[] keyHash = SHA256.HashData(key);
        if (keyHash.AsSpan().SequenceEqual(peer.KeyHash))
        {
            return IssueOutcome.Refused("the key is the one of the present certificate; each renewal takes a new one");
        }

        IssueOutcome outcome;
        lock (_changing)
        {
            if (peer.Credential is not { } credential || !_members.TryGetValue(credential.Uuid, out MemberEntry? member) || !IsCurrent(member, peer, credential) || member.Fate != MemberFate.Active)
            {
                return IssueOutcome.Refused("the identity has changed meanwhile");
            }

            if (member.Pending is { } pending && pending.KeyHash.AsSpan().SequenceEqual(keyHash) && pending.Expires > _time.GetUtcNow())
            {
                outcome = new IssueOutcome(pending.Certificate, "");
            }
            else
            {
                outcome = IssueNeedsLock(member with { Bundle = held ?? member.Bundle }, key, keyHash, issuer, bundle);
            }
        }

        _journal.Commit();
        return outcome;
    }

    private IssueOutcome JoinNeedsLock(
        EnrolmentToken presented, byte[] key, byte[] keyHash, CertificateIssuer issuer, byte[] bundle, string address, out MemberEntry? replaced)
    {
        replaced = null;
        DateTimeOffset now = _time.GetUtcNow();
        _tokens.TryGetValue(presented.Id, out TokenEntry? token);
        bool isRight = CryptographicOperations.FixedTimeEquals(presented.HashSecret(), token?.SecretHash ?? NoSecret);
        if (token is null || !isRight)
        {
            return IssueOutcome.Refused(token is null ? "no token has this id" : "the secret is wrong");
        }

        if (token.Fate == TokenFate.Used)
        {
            return JoinAgain(token, keyHash, address, now);
        }

        if (token.Fate == TokenFate.Revoked || now >= token.Expires)
        {
            return IssueOutcome.Refused(token.Fate == TokenFate.Revoked ? $"the token was revoked by {token.EndedBy}" : $"the token expired at {token.Expires:u}");
        }

        if (Holder(token.Role, token.Name) is { Fate: not MemberFate.Revoked } former)
        {
            replaced = former with { Fate = MemberFate.Revoked, Reason = $"enrolled anew with token {token.Id}", Changed = now, Pending = null };
            PutNeedsLock(replaced);
        }

        Guid uuid = Guid.NewGuid();
        PutNeedsLock(token with { Fate = TokenFate.Used, Ended = now, EndedBy = address, KeyHash = keyHash, Uuid = uuid });
        MemberEntry member = new(uuid, token.Role, token.Name, now) { Changed = now };
        _log.Enrolled(member.Member, uuid, token.Id, token.CreatedBy, address);
        return IssueNeedsLock(member, key, keyHash, issuer, bundle);
    }

    // An answer may be lost. The key is the same, so nobody gets anything that he could not have had.
    private IssueOutcome JoinAgain(TokenEntry token, byte[] keyHash, string address, DateTimeOffset now)
    {
        bool isSameKey = token.KeyHash is { } used && CryptographicOperations.FixedTimeEquals(used, keyHash);
        if (isSameKey && now < token.Expires && token.Uuid is { } uuid && _members.TryGetValue(uuid, out MemberEntry? member)
            && member is { Generation: 0, Fate: MemberFate.Active, Pending: { } pending })
        {
            return new IssueOutcome(pending.Certificate, "");
        }

        if (!isSameKey)
        {
            _log.TokenReused(token.Id, FleetIdentity.RoleName(token.Role), token.Name, token.EndedBy, address);
        }

        return IssueOutcome.Refused($"the token was used at {token.Ended:u} from {token.EndedBy}");
    }

    private IssueOutcome IssueNeedsLock(MemberEntry member, byte[] key, byte[] keyHash, CertificateIssuer issuer, byte[] bundle)
    {
        using X509Certificate2 issued = issuer.Issue(member.Role, member.Name, new FleetCredential(member.Uuid, member.Generation + 1), key);
        PutNeedsLock(member with
        {
            Renewed = _time.GetUtcNow(),
            Pending = new PendingCertificate(issued.SerialNumber, keyHash, issued.RawData, new DateTimeOffset(issued.NotAfter)),
            PendingBundle = bundle,
        });
        return new IssueOutcome(issued.RawData, "");
    }
}
