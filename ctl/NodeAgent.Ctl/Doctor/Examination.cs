using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;
using NodeAgent.Ctl.Connection;
using NodeAgent.Ctl.Fleet;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Doctor;

/// <summary>
/// Walks the way to the aggregator step by step: each check stands on the ones before it, and the first that fails names what
/// to repair. Later ones are then skipped instead of failing with the same cause.
/// </summary>
internal sealed class Examination(CtlWorld world, ConnectionFlags flags)
{
    // Long enough to renew by hand after a holiday.
    private static readonly TimeSpan ExpiryWarning = TimeSpan.FromDays(30);

    // Signed commands carry deadlines: a second is noticeable, ten make them fail.
    private static readonly TimeSpan ClockWarning = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ClockFailure = TimeSpan.FromSeconds(10);

    private readonly List<CheckItem> _checks = [];
    private X509Certificate2Collection? _authorities;
    private X509Certificate2? _identity;

    public async Task<IReadOnlyList<CheckItem>> RunAsync(CancellationToken cancellation)
    {
        if (Configuration() is not { } settings)
        {
            return Skipped("the configuration is broken", "address", "tcp", "tls", "identity", "accepted", "health", "clock", "nodes");
        }

        bool identityUsable = Identity(settings);
        if (await AddressAsync(settings, cancellation).ConfigureAwait(false) is not { } addresses) return Skipped("there is no address", "tcp", "tls", "accepted", "health", "clock", "nodes");
        if (await TcpAsync(settings, addresses, cancellation).ConfigureAwait(false) is not { } address) return Skipped("there is no connection", "tls", "accepted", "health", "clock", "nodes");
        if (!identityUsable) return Skipped("the identity cannot be used", "tls", "accepted", "health", "clock", "nodes");
        if (!await TlsAsync(settings, address, cancellation).ConfigureAwait(false)) return Skipped("there is no TLS", "accepted", "health", "clock", "nodes");

        await using IFleet fleet = world.Connect(settings);
        await ServiceAsync(settings, fleet, cancellation).ConfigureAwait(false);
        return _checks;
    }

    private ConnectionSettings? Configuration()
    {
        try
        {
            ConnectionSettings settings = ConnectionResolver.Resolve(flags, world);
            string from = $"{settings.Server.Uri.GetLeftPart(UriPartial.Authority)} (from {settings.ServerSource})";
            if (settings.ConfigFound) Ok("configuration", settings.Profile is { } profile ? $"{settings.ConfigPath}, profile {profile}: {from}" : $"{settings.ConfigPath}, no profile in use: {from}");
            else if (settings.ServerSource == "default") Warn("configuration", $"no {settings.ConfigPath}; using {from}", "Write a profile (docs/nodectl.md), or set NODECTL_SERVER.");
            else Ok("configuration", $"no {settings.ConfigPath}; using {from}");
            return settings;
        }
        catch (CtlException broken)
        {
            Fail("configuration", $"{broken.What}: {broken.Why}", broken.Remedy ?? "Correct the file or the option.");
            return null;
        }
    }

    private bool Identity(ConnectionSettings settings)
    {
        if (settings.Server.Plaintext)
        {
            Warn("identity", "none: plaintext carries no certificate", "Use TLS with --ca, --cert and --key outside of tests.");
            return true;
        }

        try
        {
            _authorities = IdentityFiles.LoadAuthorities(settings.CaPath);
            _identity = IdentityFiles.LoadIdentity(settings.CertificatePath, settings.KeyPath);
        }
        catch (CtlException broken)
        {
            Fail("identity", $"{broken.What}: {broken.Why}", broken.Remedy ?? "Check the files.");
            return false;
        }

        if (_identity is null)
        {
            Warn("identity", "no certificate is set", "The aggregator wants one: set --cert and --key, or a profile.");
            return true;
        }

        return Validity(_identity, settings.CertificatePath!);
    }

    private bool Validity(X509Certificate2 identity, string path)
    {
        DateTimeOffset now = world.Time.GetUtcNow();
        string who = FleetCertificate.ReadIdentity(identity) is { } found ? $"{FleetRoles.Word(found.Role)} '{found.Name}' of fleet '{found.Fleet}'" : identity.Subject;
        DateTimeOffset end = identity.NotAfter;
        if (now >= end) return Refuse($"{who}: {path} expired {Human.Age((now - end).TotalMilliseconds)} ago", "Issue a new one: nodectl fleet issue.");
        if (now < identity.NotBefore) return Refuse($"{who}: {path} is not valid yet", "Is this machine's clock right?");
        if (end - now < ExpiryWarning) Warn("identity", $"{who}, expires in {Human.Age((end - now).TotalMilliseconds)}", "Issue a new one: nodectl fleet issue.");
        else Ok("identity", $"{who}, valid for {Human.Age((end - now).TotalMilliseconds)}");
        return true;

        bool Refuse(string detail, string fix)
        {
            Fail("identity", detail, fix);
            return false;
        }
    }

    private async Task<IReadOnlyList<IPAddress>?> AddressAsync(ConnectionSettings settings, CancellationToken cancellation)
    {
        try
        {
            IReadOnlyList<IPAddress> addresses = await world.Probe.ResolveAsync(settings.Server.Host, cancellation).ConfigureAwait(false);
            Ok("address", $"{settings.Server.Host} is {string.Join(", ", addresses)}");
            return addresses;
        }
        catch (SocketException failed)
        {
            (string why, string remedy) = RpcFailure.Reason(failed.SocketErrorCode, settings);
            Fail("address", why, remedy);
            return null;
        }
    }

    private async Task<IPAddress?> TcpAsync(ConnectionSettings settings, IReadOnlyList<IPAddress> addresses, CancellationToken cancellation)
    {
        using CancellationTokenSource limit = new(settings.Timeout, world.Time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            long began = world.Time.GetTimestamp();
            IPAddress address = await world.Probe.ConnectAsync(addresses, settings.Server.Port, both.Token).ConfigureAwait(false);
            Ok("tcp", $"{settings.Server.Authority} connects in {Human.Seconds(world.Time.GetElapsedTime(began).TotalSeconds)}");
            return address;
        }
        catch (SocketException failed)
        {
            (string why, string remedy) = RpcFailure.Reason(failed.SocketErrorCode, settings);
            Fail("tcp", why, remedy);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            (string why, string remedy) = RpcFailure.Reason(SocketError.TimedOut, settings);
            Fail("tcp", $"{why} within {DurationText.Exact(settings.Timeout)}", remedy);
        }

        return null;
    }

    private async Task<bool> TlsAsync(ConnectionSettings settings, IPAddress address, CancellationToken cancellation)
    {
        if (settings.Server.Plaintext)
        {
            Ok("tls", "not used: plaintext on loopback");
            return true;
        }

        using CancellationTokenSource limit = new(settings.Timeout, world.Time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        TlsReport report;
        try
        {
            report = await world.Probe.HandshakeAsync(address, settings.Server, _authorities, _identity, both.Token).ConfigureAwait(false);
        }
        catch (Exception failed) when (failed is SocketException || (failed is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            Fail("tls", $"the handshake did not end within {DurationText.Exact(settings.Timeout)}", "Does the server speak TLS? Without it: --plaintext (loopback only).");
            return false;
        }

        return Judge(report, settings);
    }

    private bool Judge(TlsReport report, ConnectionSettings settings)
    {
        if (report.Problem is { } problem)
        {
            string certificate = report.Subject.Length == 0 ? "" : $" (server certificate {report.Subject})";
            Fail("tls", problem + certificate, settings.CaPath is null
                ? "Give the fleet's CA with --ca."
                : $"Is {settings.CaPath} this fleet's CA, and is '{settings.Server.Host}' among the names of the server's certificate (fleet init --server-name)?");
            return false;
        }

        TimeSpan left = report.NotAfter - world.Time.GetUtcNow();
        string detail = $"{Protocol(report.Protocol)}, {report.Subject}, valid for {Human.Age(left.TotalMilliseconds)}";
        if (report.Alpn != "h2")
        {
            Fail("tls", $"{detail}, but HTTP/2 was not agreed on (ALPN '{report.Alpn}')", "Is this an aggregator, or a proxy before it that speaks HTTP/1.1 only?");
            return false;
        }

        if (left < ExpiryWarning) Warn("tls", detail, "Renew the aggregator's certificate.");
        else Ok("tls", detail);
        return true;
    }

    private async Task ServiceAsync(ConnectionSettings settings, IFleet fleet, CancellationToken cancellation)
    {
        DateTimeOffset before = world.Time.GetUtcNow();
        GetStatusResponse status;
        try
        {
            status = await fleet.GetStatusAsync(new GetStatusRequest(), cancellation).ConfigureAwait(false);
        }
        catch (CtlException refused)
        {
            Fail("accepted", refused.Why, refused.Remedy ?? "Check the aggregator's log.");
            Skipped("the aggregator did not answer", "health", "clock", "nodes");
            return;
        }

        DateTimeOffset middle = before + ((world.Time.GetUtcNow() - before) / 2);
        Ok("accepted", $"aggregator {(status.Version.Length == 0 ? "without a version" : status.Version)} at {settings.Server.Authority} answers Query");
        await HealthAsync(fleet, cancellation).ConfigureAwait(false);
        Storage(status);
        Clock(status.WallUnixMs - middle.ToUnixTimeMilliseconds());
        await NodesAsync(fleet, cancellation).ConfigureAwait(false);
    }

    private async Task HealthAsync(IFleet fleet, CancellationToken cancellation)
    {
        try
        {
            string health = await fleet.CheckHealthAsync(cancellation).ConfigureAwait(false);
            if (health == "SERVING") Ok("health", health);
            else Fail("health", health, "It is starting or stopping, or a part of it failed: see its log.");
        }
        catch (CtlException refused)
        {
            Fail("health", refused.Why, refused.Remedy ?? "See its log.");
        }
    }

    // Only where something is wrong: a healthy disk is what "accepted" stands on anyway.
    private void Storage(GetStatusResponse status)
    {
        if (status.Log is { Healthy: false, Error.Length: > 0 } log) Fail("storage", $"the aggregator cannot write its log: {log.Error}", "Look at its disk; agents keep everything meanwhile (docs/runbooks/aggregator.md#aggregator-log-fails).");
        else if (status.Storage is { Healthy: false, Error.Length: > 0 } storage) Fail("storage", $"the aggregator's store cannot write files: {storage.Error}", "Look at its disk (docs/runbooks/aggregator.md#aggregator-store-fails).");
        else if (status.Sink is { Healthy: false, Url.Length: > 0 } sink) Warn("storage", $"{sink.Url} does not take samples", "docs/runbooks/aggregator.md#sink-lagging");
    }

    private void Clock(long offsetMs)
    {
        string detail = $"the aggregator is {Human.Seconds(Math.Abs(offsetMs) / 1000.0)} {(offsetMs >= 0 ? "ahead of" : "behind")} this machine";
        const string Fix = "Discipline both clocks (chrony, systemd-timesyncd).";
        TimeSpan off = TimeSpan.FromMilliseconds(Math.Abs(offsetMs));
        if (off >= ClockFailure) Fail("clock", detail, Fix);
        else if (off >= ClockWarning) Warn("clock", detail, Fix);
        else Ok("clock", detail);
    }

    private async Task NodesAsync(IFleet fleet, CancellationToken cancellation)
    {
        try
        {
            ListNodesResponse answer = await fleet.ListNodesAsync(new ListNodesRequest(), cancellation).ConfigureAwait(false);
            List<Node> stale = [.. answer.Nodes.Where(node => node.State != NodeState.Live)];
            if (answer.Nodes.Count == 0) Warn("nodes", "no node has ever connected", "Start an agent: nodeagent run.");
            else if (stale.Count == 0) Ok("nodes", answer.Nodes.Count == 1 ? $"{answer.Nodes[0].Name} is live" : $"all {answer.Nodes.Count} are live");
            else Warn("nodes", $"{answer.Nodes.Count - stale.Count} of {answer.Nodes.Count} are live; not: {Names(stale)}", "See 'nodectl nodes --state late,down' and the agents' logs.");
        }
        catch (CtlException refused)
        {
            Fail("nodes", refused.Why, refused.Remedy ?? "See the aggregator's log.");
        }
    }

    // Five names tell where to look; a thousand would hide everything else.
    private static string Names(List<Node> nodes) =>
        string.Join(", ", nodes.Take(5).Select(node => node.Name)) + (nodes.Count > 5 ? $" and {nodes.Count - 5} more" : "");

    private static string Protocol(string name) => name switch { "Tls13" => "TLS 1.3", "Tls12" => "TLS 1.2", _ => name };

    private void Ok(string name, string detail) => _checks.Add(CheckItem.Ok(name, detail));

    private void Warn(string name, string detail, string fix) => _checks.Add(CheckItem.Warn(name, detail, fix));

    private void Fail(string name, string detail, string fix) => _checks.Add(CheckItem.Fail(name, detail, fix));

    private List<CheckItem> Skipped(string because, params ReadOnlySpan<string> names)
    {
        foreach (string name in names) _checks.Add(CheckItem.Skip(name, because));
        return _checks;
    }
}
