using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc.Blocking;
using NodeAgent.Rpc.Security;
using NodeAgent.V1;

namespace NodeAgent.Agent.Identity;

/// <summary>
/// Keeps this host's certificate fresh. It has no thread and no timer: the uplink asks it whenever it is about to connect, which the
/// aggregator makes it do about once an hour, and a renewal is a short connection of its own before that.
/// </summary>
/// <param name="files">Where the identity is.</param>
/// <param name="first">As it is now.</param>
/// <param name="aggregator">Whom to ask.</param>
/// <param name="serverName">Name in its certificate.</param>
/// <param name="time">The host's clock.</param>
/// <param name="random">For the jitter.</param>
/// <param name="log">What people are told.</param>
internal sealed class IdentityKeeper(
    IdentityFiles files, MemberIdentity first, Uri aggregator, string serverName, TimeProvider time, Random random, IdentityLog log) : IDisposable
{
    /// <summary>Due from half of a certificate's life on, at the latest at two thirds: each host at its own moment between.</summary>
    internal const double DueFrom = 0.50;
    internal const double DueUntil = 0.66;

    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(10);
    private static readonly string RenewPath = $"/{Identities.Descriptor.FullName}/{nameof(Identities.IdentitiesClient.Renew)}";

#pragma warning disable CA5394 // Not for secrets.
    private double _dueAt = DueFrom + ((DueUntil - DueFrom) * random.NextDouble());
#pragma warning restore CA5394

    /// <summary>Belongs to the uplink's thread.</summary>
    internal MemberIdentity Current { get; private set; } = first;

    /// <summary>When to ask for the next certificate.</summary>
    internal DateTimeOffset DueAt => Current.NotBefore + ((Current.NotAfter - Current.NotBefore) * _dueAt);

    /// <summary>
    /// Renews when it is time. Whatever comes of it, <see cref="Current"/> is an identity that was put on the disk as a whole; while it is
    /// valid, a renewal that fails is tried again with the next connection.
    /// </summary>
    /// <returns>Empty: go on. Else why there is no use in connecting.</returns>
    internal string RenewIfDue(WakeHandle wake, CancellationToken stop)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (Current.Credential is null || now < DueAt)
        {
            return "";
        }

        if (now >= Current.NotAfter + FleetAuthority.RenewalGrace)
        {
            log.Expired(files.IdentityPath, Current.NotAfter);
            return $"this host's certificate expired at {Current.NotAfter.UtcDateTime:u}, more than {FleetAuthority.RenewalGrace.TotalDays:0} days ago: enrol it anew";
        }

        string problem = TryRenew(wake, stop);
        if (problem.Length == 0)
        {
            log.Renewed(Current);
            return "";
        }

        if (!stop.IsCancellationRequested)
        {
            log.RenewalFailed(aggregator.Authority, problem, Current.NotAfter);
        }

        return now < Current.NotAfter ? "" : $"this host's certificate expired at {Current.NotAfter.UtcDateTime:u} and could not be renewed: {problem}";
    }

    public void Dispose() => Current.Dispose();

    private string TryRenew(WakeHandle wake, CancellationToken stop)
    {
        if (KeyOnDisk(out string keyPem) is { Length: > 0 } unwritten)
        {
            return unwritten;
        }

        BlockingConnectionOptions options = new()
        {
            Tls = () => MutualTls.ClientOptions(serverName, Current.Roots, Current.Certificate, Current.Between),
            UserAgent = $"nodeagent/{AgentVersion.Text}",
            TimeProvider = time,
        };
        using BlockingConnection? connection = BlockingConnection.TryConnect(aggregator, options, wake, stop, out Status status);
        if (connection is null)
        {
            return status.Detail;
        }

        RenewRequest request = new() { Request = ByteString.CopyFrom(KeyRequest.Make(keyPem)), Bundle = ByteString.CopyFrom(FleetAuthority.Bundle(Current.Roots)) };
        return UnaryCall.TryRun(connection, RenewPath, request, RenewResponse.Parser, time, CallLimit, stop, out status) is { } answer
            ? Install(answer.Issued ?? new IssuedCertificate(), keyPem) : $"{status.StatusCode}: {status.Detail}";
    }

    private string Install(IssuedCertificate issued, string keyPem)
    {
        if (Issued.Check(issued, keyPem, Current.Roots, time.GetUtcNow(), out string problem) is not { } good
            || MemberIdentity.TryParse(good.IdentityPem, good.RootsPem, files.IdentityPath, out problem) is not { } renewed)
        {
            return problem;
        }

        bool isSame = renewed.Identity == Current.Identity && renewed.Credential?.Uuid == Current.Credential?.Uuid;
        if (!isSame || !files.TryInstall(good.IdentityPem, good.RootsPem, out problem))
        {
            renewed.Dispose();
            return isSame ? problem : $"the aggregator issued a certificate of {renewed.Identity}";
        }

        // The old one is left to the collector: a connection that is being closed may still refer to it.
        Current = renewed;
#pragma warning disable CA5394 // Not for secrets.
        _dueAt = DueFrom + ((DueUntil - DueFrom) * random.NextDouble());
#pragma warning restore CA5394
        return "";
    }

    // After a crash the same key is asked for again, and the aggregator answers with the same certificate. What a crash left after the
    // certificate was in place is the present key.
    private string KeyOnDisk(out string keyPem)
    {
        keyPem = files.ReadNextKey(out string problem) ?? "";
        byte[]? found = KeyRequest.PublicKeyOf(keyPem);
        if (problem.Length > 0 || (found is not null && !found.AsSpan().SequenceEqual(Current.Certificate.PublicKey.ExportSubjectPublicKeyInfo())))
        {
            return problem;
        }

        keyPem = KeyRequest.NewKey();
        return files.TryWriteNextKey(keyPem, out problem) ? "" : problem;
    }
}
