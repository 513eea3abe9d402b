using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Net.Sockets;

namespace NodeAgent.Testing.Processes;

/// <summary>How a local pair is started.</summary>
public sealed record LocalPairOptions
{
    /// <summary>Where certificates, configurations and logs go; made if missing.</summary>
    public required string Folder { get; init; }

    /// <summary>The agent's node name.</summary>
    public string Node { get; init; } = "node-1";

    /// <summary>The agent's program: managed .dll or executable.</summary>
    public string AgentProgram { get; init; } = Repository.AgentProgram;

    /// <summary>The aggregator's address; port 0 takes a free one.</summary>
    public IPEndPoint Address { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>Added to the agent's <c>--set</c>.</summary>
    public IReadOnlyList<string> AgentSettings { get; init; } = [];

    /// <summary>Added to the aggregator's <c>--set</c>.</summary>
    public IReadOnlyList<string> AggregatorSettings { get; init; } = [];

    /// <summary>Added to the agent's environment.</summary>
    public IReadOnlyDictionary<string, string> AgentEnvironment { get; init; } = new Dictionary<string, string>();

    /// <summary>Called with the program's name and each line it writes.</summary>
    public Action<string, string>? OnLine { get; init; }
}

/// <summary>
/// The real programs on this machine: an aggregator and an agent with certificates of a throw-away fleet, mutual TLS from the
/// first byte. What <c>./build.sh up</c>, the end-to-end tests and the benchmarks start.
/// </summary>
public sealed class LocalPair : IAsyncDisposable
{
    /// <summary>A cold start on a busy two-core machine, with room.</summary>
    public static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    /// <summary>The programs promise to stop within 5 s; this leaves room for a busy machine.</summary>
    public static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    private readonly LocalPairOptions _options;

    // As the agent has it: a certificate can be renewed for so long after its end.
    private static readonly TimeSpan RenewalGrace = TimeSpan.FromDays(14);

    private LocalPair(LocalPairOptions options, int port)
    {
        _options = options;
        Address = new IPEndPoint(options.Address.Address, port);
        EnrolmentAddress = new IPEndPoint(options.Address.Address, FreePort());
    }

    /// <summary>Where the aggregator listens.</summary>
    public IPEndPoint Address { get; }

    /// <summary>Where the aggregator enrols hosts.</summary>
    public IPEndPoint EnrolmentAddress { get; }

    public RealProcess? Aggregator { get; private set; }

    public RealProcess? Agent { get; private set; }

    private string IdentityFolder => Path.Combine(_options.Folder, "identity");

    private string TokenFile => Path.Combine(_options.Folder, "join.token");

    private string FleetFolder => Path.Combine(_options.Folder, "fleet");

    /// <summary>Makes the fleet if there is none, and starts both programs; returns when the agent is connected.</summary>
    public static async Task<LocalPair> StartAsync(LocalPairOptions options)
    {
        LocalPair pair = new(options, options.Address.Port == 0 ? FreePort() : options.Address.Port);
        try
        {
            await pair.MakeFleetAsync().ConfigureAwait(false);
            await pair.StartAggregatorAsync().ConfigureAwait(false);
            await pair.MakeTokenAsync().ConfigureAwait(false);
            await pair.StartAgentAsync().ConfigureAwait(false);
            return pair;
        }
        catch
        {
            await pair.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Starts the aggregator (again) and waits until it serves.</summary>
    public async Task StartAggregatorAsync()
    {
        List<string> arguments =
        [
            "run",
            "--set", $"listen.address={Address}",
            "--set", $"listen.ca_file={Path.Combine(FleetFolder, "ca.crt")}",
            "--set", $"listen.certificate_file={Path.Combine(FleetFolder, "aggregator.crt")}",
            "--set", $"listen.key_file={Path.Combine(FleetFolder, "aggregator.key")}",
            "--set", $"state.directory={Path.Combine(_options.Folder, "aggregator-state")}",
            "--set", $"identity.enrolment_address={EnrolmentAddress}",
            "--set", $"identity.issuer_certificate_file={Path.Combine(FleetFolder, "issuer.crt")}",
            "--set", $"identity.issuer_key_file={Path.Combine(FleetFolder, "issuer.key")}",
        ];
        Aggregator = Start("aggregator", Repository.AggregatorProgram, arguments, _options.AggregatorSettings, new Dictionary<string, string>());
        await Aggregator.WaitForLineAsync(line => line.Contains("event=AggregatorReady", StringComparison.Ordinal), StartLimit).ConfigureAwait(false);
    }

    /// <summary>Starts the agent (again) and waits until it is connected.</summary>
    public async Task StartAgentAsync()
    {
        List<string> arguments =
        [
            "run",
            "--set", $"uplink.aggregator=https://{Address}",
            "--set", $"identity.directory={IdentityFolder}",
            "--set", $"identity.token_file={TokenFile}",
            "--set", $"identity.enrolment=https://{EnrolmentAddress}",
            "--set", $"spool.directory={Path.Combine(_options.Folder, "spool")}",
        ];
        Agent = Start("agent", _options.AgentProgram, arguments, _options.AgentSettings, _options.AgentEnvironment);
        await Agent.WaitForLineAsync(line => line.Contains("event=UplinkConnected", StringComparison.Ordinal), StartLimit).ConfigureAwait(false);
    }

    /// <summary>Arguments with which nodectl talks to this pair as its operator.</summary>
    public IReadOnlyList<string> CtlArguments => ArgumentsAs("operators");

    private string[] ArgumentsAs(string role) =>
    [
        "--server", $"https://{Address}",
        "--ca", Path.Combine(FleetFolder, "ca.crt"),
        "--cert", Path.Combine(FleetFolder, role, "local.crt"),
        "--key", Path.Combine(FleetFolder, role, "local.key"),
    ];

    /// <summary>Runs nodectl against this pair.</summary>
    public Task<(int ExitCode, string Output)> CtlAsync(params string[] arguments) =>
        RealProcess.RunAsync(Repository.CtlProgram, [.. arguments, .. CtlArguments], TimeSpan.FromSeconds(60));

    /// <summary>Runs nodectl against this pair as its admin.</summary>
    public Task<(int ExitCode, string Output)> AdminAsync(params string[] arguments) =>
        RealProcess.RunAsync(Repository.CtlProgram, [.. arguments, .. ArgumentsAs("admins")], TimeSpan.FromSeconds(60));

    /// <summary>Stops both programs as a service manager would. True: both ended in time with exit code 0.</summary>
    public async Task<bool> StopAsync()
    {
        bool clean = true;
        foreach (RealProcess? process in new[] { Agent, Aggregator })
        {
            if (process is not null)
            {
                clean &= await process.StopAsync(StopLimit).ConfigureAwait(false) && process.ExitCode == 0;
            }
        }

        return clean;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        Agent?.Dispose();
        Aggregator?.Dispose();
    }

    private async Task MakeFleetAsync()
    {
        if (!File.Exists(Path.Combine(FleetFolder, "admins", "local.key")))
        {
            await RunCtlAsync("fleet", "init", FleetFolder, "--name", "local", "--operator", "local", "--force").ConfigureAwait(false);
            ForgetIdentity();
        }
        else if (EndOf(Path.Combine(FleetFolder, "issuer.crt")) < TimeProvider.System.GetUtcNow() + TimeSpan.FromDays(1))
        {
            await RunCtlAsync("fleet", "issuer", FleetFolder).ConfigureAwait(false);
        }
    }

    // The way that any host takes: a token, and the agent does the rest. Where it is enrolled already, it renews by itself.
    private async Task MakeTokenAsync()
    {
        string identity = Path.Combine(IdentityFolder, "identity.pem");
        if (File.Exists(identity) && NodeOf(identity) == _options.Node && EndOf(identity) + RenewalGrace > TimeProvider.System.GetUtcNow())
        {
            return;
        }

        ForgetIdentity();
        (int exitCode, string output) = await AdminAsync("token", "create", _options.Node, "--file", TokenFile).ConfigureAwait(false);
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"nodectl token create ended with {exitCode}:\n{output}");
        }
    }

    private void ForgetIdentity()
    {
        File.Delete(TokenFile);
        if (Directory.Exists(IdentityFolder))
        {
            Directory.Delete(IdentityFolder, recursive: true);
        }
    }

    private static DateTimeOffset EndOf(string file)
    {
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file));
        return new DateTimeOffset(certificate.NotAfter);
    }

    private static string NodeOf(string file)
    {
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file));
        return certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
    }

    private static async Task RunCtlAsync(params string[] arguments)
    {
        (int exitCode, string output) = await RealProcess.RunAsync(Repository.CtlProgram, arguments, StartLimit).ConfigureAwait(false);
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"nodectl {string.Join(' ', arguments)} ended with {exitCode}:\n{output}");
        }
    }

    private RealProcess Start(
        string name, string program, List<string> arguments, IReadOnlyList<string> settings, IReadOnlyDictionary<string, string> environment)
    {
        foreach (string setting in settings)
        {
            arguments.AddRange(["--set", setting]);
        }

        return RealProcess.Start(name, program, arguments, environment, line => _options.OnLine?.Invoke(name, line));
    }
}
