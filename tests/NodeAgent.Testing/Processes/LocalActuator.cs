using System.Security.Cryptography;

namespace NodeAgent.Testing.Processes;

/// <summary>
/// The real <c>nodeagent actuator</c> beside a <see cref="LocalPair"/>, with a policy of its own and one operator's key. Its folder must belong
/// to whoever runs this, as must all above it: the actuator insists.
/// </summary>
public sealed class LocalActuator : IDisposable
{
    private readonly string _folder;
    private readonly IReadOnlyList<string> _uplink;

    private LocalActuator(string folder, IReadOnlyList<string> uplink) => (_folder, _uplink) = (folder, uplink);

    public RealProcess? Process { get; private set; }

    /// <summary>The operator's key.</summary>
    public ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The operator's key as a file for nodectl.</summary>
    public string KeyFile => Path.Combine(_folder, "operator.key");

    public string Socket => Path.Combine(_folder, "actuator.sock");

    /// <summary>Where its journal is.</summary>
    public string StateDirectory => Path.Combine(_folder, "actuator-state");

    /// <summary>For <see cref="LocalPairOptions.AgentSettings"/> of an agent in the same folder.</summary>
    public static string SettingIn(string folder) => $"actuator.socket={Path.Combine(folder, "actuator.sock")}";

    /// <summary>Writes policy and key, and starts it. The pair's fleet must have been made.</summary>
    /// <param name="folder">The pair's.</param>
    /// <param name="commands">The policy's rules, as JSON.</param>
    /// <param name="more">More of the policy's members, as JSON with a comma at the end.</param>
    /// <param name="uplink">Settings that say which node it is; null: as the pair's agent was enrolled.</param>
    public static async Task<LocalActuator> StartAsync(string folder, string commands, string more = "", IReadOnlyList<string>? uplink = null)
    {
        LocalActuator actuator = new(folder, uplink ?? [$"identity.directory={Path.Combine(folder, "identity")}"]);
        FileStreamOptions secret = new() { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) secret.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using (StreamWriter file = new(actuator.KeyFile, secret))
        {
            await file.WriteAsync(actuator.Key.ExportPkcs8PrivateKeyPem()).ConfigureAwait(false);
        }

        string key = Convert.ToBase64String(actuator.Key.ExportSubjectPublicKeyInfo());
        await File.WriteAllTextAsync(
            actuator.PolicyFile,
            $$"""{ "version": 1, {{more}} "trust": [ { "owner": "anna", "public_key": "{{key}}", "max_risk": "R3" } ], "commands": { {{commands}} } }""").ConfigureAwait(false);
        await actuator.StartAgainAsync().ConfigureAwait(false);
        return actuator;
    }

    private string PolicyFile => Path.Combine(_folder, "policy.json");

    /// <summary>Another process on what the last one left.</summary>
    public async Task StartAgainAsync()
    {
        Process?.Dispose();
        string[] own = [$"actuator.socket={Socket}", $"actuator.policy={PolicyFile}", $"actuator.state_directory={StateDirectory}"];
        Process = RealProcess.Start("actuator", Repository.AgentProgram, ["actuator", .. own.Concat(_uplink).SelectMany(setting => (string[])["--set", setting])]);
        await Process.WaitForLineAsync(line => line.Contains("event=ActuatorStarted", StringComparison.Ordinal), LocalPair.StartLimit).ConfigureAwait(false);
    }

    public void Dispose()
    {
        Process?.Dispose();
        Key.Dispose();
    }
}
