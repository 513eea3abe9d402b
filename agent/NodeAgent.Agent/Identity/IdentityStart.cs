using Grpc.Core;
using NodeAgent.Agent.Configuration;
using NodeAgent.Agent.Uplink;
using NodeAgent.Contracts.Identity;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Journal.Files;

namespace NodeAgent.Agent.Identity;

/// <summary>Which identity the agent starts with: files made by hand, one that it was enrolled with before, or one that a token gets it now.</summary>
internal sealed class IdentityStart(AgentOptions options, Random random, IdentityLog log, TimeProvider time)
{
    private readonly IdentityFiles _files = new(FileOps.ForThisMachine(), options.Identity.ResolveDirectory(Environment.GetEnvironmentVariable("STATE_DIRECTORY")));

    private Uri Aggregator => options.Uplink.Aggregator!;

    private string ServerName => options.Uplink.ServerName ?? Aggregator.IdnHost;

    /// <summary>Null: the problem says why; without one the program was asked to stop.</summary>
    internal async Task<(RpcLinkDialer? Dialer, string Problem)> MakeDialerAsync(ServiceNotifier notifier, CancellationToken stopping)
    {
        if (options.Uplink.PlaintextNode is { } node)
        {
            return (RpcLinkDialer.WithoutTls(Aggregator, node), "");
        }

        string problem;
        MemberIdentity? identity = options.Uplink.CertificateFile is not null
            ? RpcLinkDialer.TryLoadByHand(options.Uplink, out problem) : TryLoad(_files, out problem);
        if (identity is null && problem.Length == 0)
        {
            (identity, problem) = await EnrolAsync(notifier, stopping).ConfigureAwait(false);
        }

        return identity is null ? (null, problem)
            : (new RpcLinkDialer(Aggregator, ServerName, new IdentityKeeper(_files, identity, Aggregator, ServerName, time, random, log), time), "");
    }

    /// <summary>Null without a problem: there is none yet.</summary>
    internal static MemberIdentity? TryLoad(IdentityFiles files, out string problem)
    {
        if (files.ReadIdentity(out problem) is not { } identity)
        {
            return null;
        }

        string? roots = files.ReadRoots(out problem);
        problem = problem.Length == 0 && roots is null ? $"{files.RootsPath} is missing" : problem;
        return problem.Length > 0 ? null : MemberIdentity.TryParse(identity, roots!, files.IdentityPath, out problem);
    }

    /// <summary>Null: <paramref name="problem"/> says what is wrong with the file.</summary>
    internal static EnrolmentToken? TryReadToken(TextReader reader, string path, out string problem)
    {
        // One line of 130 characters; what is longer is something else.
        char[] buffer = new char[1024];
        int length = reader.ReadBlock(buffer, 0, buffer.Length);
        bool isToken = EnrolmentToken.TryParse(new string(buffer, 0, length), out EnrolmentToken? token);
        problem = isToken ? "" : $"{path} holds no join token (na1.ID.SECRET.PIN); `nodectl token create` makes one";
        return token;
    }

    private async Task<(MemberIdentity? Identity, string Problem)> EnrolAsync(ServiceNotifier notifier, CancellationToken stopping)
    {
        if (options.Identity.TokenFile is not { } tokenFile)
        {
            return (null, $"there is none in {_files.Directory}; `nodeagent enrol` or identity.token_file gets one");
        }

        Uri server = options.Identity.Enrolment ?? new UriBuilder(Aggregator) { Port = IdentitySettings.DefaultPort }.Uri;
        Backoff backoff = new(random);
        while (!stopping.IsCancellationRequested)
        {
            // Read anew for each try: whoever made the wrong one puts a better one there.
            if (TryReadTokenFile(tokenFile, out string problem) is not { } token)
            {
                return (null, problem);
            }

            Status status = new Enrolling(_files, time).TryJoin(server, options.Uplink.ServerName, token, stopping);
            if (status.StatusCode == StatusCode.OK)
            {
                MemberIdentity? identity = TryLoad(_files, out problem);
                if (identity is not null)
                {
                    log.Enrolled(identity, server.Authority);
                }

                return (identity, problem);
            }

            if (status.StatusCode is StatusCode.PermissionDenied or StatusCode.InvalidArgument)
            {
                log.EnrolmentRefused(server.Authority, status.Detail);
                return (null, $"{server.Authority}: {status.Detail}");
            }

            TimeSpan wait = backoff.NextDelay();
            log.EnrolmentFailed(server.Authority, status.Detail, wait);
            notifier.Status($"waiting to be enrolled: {status.Detail}");
            await WaitAsync(wait, stopping).ConfigureAwait(false);
        }

        return (null, "");
    }

    private static EnrolmentToken? TryReadTokenFile(string path, out string problem)
    {
        try
        {
            using StreamReader reader = File.OpenText(path);
            return TryReadToken(reader, path, out problem);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"identity.token_file: {e.Message}";
            return null;
        }
    }

    private async Task WaitAsync(TimeSpan wait, CancellationToken stopping)
    {
        try
        {
            await Task.Delay(wait, time, stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return; // the loop sees it
        }
    }
}
