using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using NodeAgent.Commands;
using NodeAgent.Commands.Envelope;
using NodeAgent.Commands.Local;
using NodeAgent.Testing.Processes;
using NodeAgent.V1;

namespace NodeAgent.EndToEnd.Tests.Commands;

/// <summary>Commands through the real programs.</summary>
public sealed class CommandTests
{
    private const int KillsByDefault = 25;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Command_FromAPersonsKeyToTheNode_IsDoneOnceAndInBothChains()
    {
        Assert.SkipWhen(!OperatingSystem.IsLinux(), "the actuator is Linux's");
        using ScratchFolder folder = new();
        await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions { Folder = folder.Path, Node = "e2e", AgentSettings = [LocalActuator.SettingIn(folder.Path)] });

        // Without an actuator a node says so.
        (int code, string output) = await pair.CtlAsync("run", "no_op", "--on", "all", "--reason", "none there", "--dry-run");
        Assert.Equal(1, code);
        Assert.Contains("no actuator", output);

        using LocalActuator actuator = await LocalActuator.StartAsync(folder.Path, """ "no_op": { "allow": true } """);
        await pair.Agent!.StopAsync(LocalPair.StopLimit);
        await pair.StartAgentAsync();
        await Waiting.ForAsync("a dry run", Limit, async () => (await pair.CtlAsync("run", "no_op", "--on", "e2e", "--reason", "look", "--dry-run")).ExitCode == 0 ? "yes" : null);

        (code, output) = await pair.CtlAsync("run", "no_op", "--on", "e2e", "--reason", "try", "--sign-with", actuator.KeyFile, "-o", "json");
        Assert.True(code == 0, output);
        JsonElement target = JsonDocument.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..]).RootElement.GetProperty("item").GetProperty("targets")[0];
        Assert.Equal("done", target.GetProperty("outcome").GetString());

        // What the policy does not allow is refused by the node, whoever signs.
        (code, output) = await pair.CtlAsync("run", "cpu_governor", "--on", "e2e", "--set", "governor=performance", "--ttl", "1m", "--reason", "try", "--sign-with", actuator.KeyFile);
        Assert.Equal(1, code);
        Assert.Contains("policy-denied", output);

        // The aggregator is killed and comes back: its chain is whole, and it holds the node's head.
        pair.Aggregator!.Signal(9);
        await pair.Aggregator.WaitForExitAsync(Limit);
        await pair.StartAggregatorAsync();
        (code, output) = await pair.CtlAsync("audit", "verify");
        Assert.True(code == 0 && output.Contains("whole", StringComparison.Ordinal), output);
        (code, output) = await pair.CtlAsync("audit", "verify", "--socket", actuator.Socket);
        Assert.True(code == 0, output);
        (code, output) = await pair.CtlAsync("audit", "tail", "--socket", actuator.Socket);
        Assert.Contains("no_op", output);
        Assert.Contains("policy-denied", output);
        (code, output) = await pair.CtlAsync("halt", "--reason", "test");
        Assert.Equal(0, code);
        (code, output) = await pair.CtlAsync("run", "no_op", "--on", "e2e", "--reason", "try", "--sign-with", actuator.KeyFile);
        Assert.NotEqual(0, code);
    }

    /// <summary>
    /// Whether a command was done twice is counted outside: each makes a file of its own name, a second time a second one. The moments are
    /// random, the machine's part in them too.
    /// </summary>
    [Fact]
    public async Task Actuator_KilledAtRandomMoments_DoesNothingTwiceAndAnswersEverything()
    {
        Assert.SkipWhen(!OperatingSystem.IsLinux(), "the actuator is Linux's");
        int kills = int.TryParse(Environment.GetEnvironmentVariable("NODEAGENT_TEST_ACTUATOR_KILLS"), CultureInfo.InvariantCulture, out int wanted) ? wanted : KillsByDefault;
        using ScratchFolder folder = new();
        string[] uplink = ["uplink.aggregator=http://127.0.0.1:1", "uplink.plaintext_node=victim"];
        string diagnostics = string.Join(", ", Enumerable.Range(0, kills).Select(i => $$""" "d{{i}}": { "argv": ["/usr/bin/mktemp", "-p", "{{folder.Path}}", "done.{{i}}.XXXXXX"] } """));
        using LocalActuator actuator = await LocalActuator.StartAsync(
            folder.Path, """ "diagnose": { "allow": true, "max_per_hour": 3600, "max_per_day": 36000 } """, $$""" "diagnostics": { {{diagnostics}} }, """, uplink);
#pragma warning disable CA5394 // Not for secrets.
        Random random = new(11);
        int interrupted = 0;
        for (int i = 0; i < kills; i++)
        {
            ActuatorReport report = Status(actuator.Socket);
            byte[] envelope = Reading(report, i);
            Task<CommandAnswer?> first = Task.Run(() => TryRun(actuator.Socket, envelope), TestContext.Current.CancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 60)), TimeProvider.System, TestContext.Current.CancellationToken);
            actuator.Process!.Signal(9);
            await actuator.Process.WaitForExitAsync(Limit);
            await first;
            await actuator.StartAgainAsync();

            CommandAnswer again = TryRun(actuator.Socket, envelope) ?? throw new InvalidOperationException("no answer after a restart");
            CommandResult result = again.Earlier ?? again.Result;
            int files = Directory.EnumerateFiles(folder.Path, $"done.{i}.*").Count();
            interrupted += result.Outcome == CommandOutcome.Interrupted ? 1 : 0;
            Assert.True(files <= 1, $"command {i} was done {files} times");
            Assert.True(result.Outcome is CommandOutcome.Done or CommandOutcome.Interrupted, $"command {i}: {result}");
            Assert.True(result.Outcome != CommandOutcome.Done || files == 1, $"command {i} is called done, and is not");
        }
#pragma warning restore CA5394

        TestContext.Current.SendDiagnosticMessage($"{kills} kills, {interrupted} in the middle of a command");
        Assert.Empty(Status(actuator.Socket).Damage);
    }

    private static ActuatorReport Status(string socket)
    {
        using ActuatorClient client = ActuatorClient.Connect(socket, Limit);
        return client.Status();
    }

    // Null: it was killed before it could answer.
    private static CommandAnswer? TryRun(string socket, byte[] envelope)
    {
        try
        {
            using ActuatorClient client = ActuatorClient.Connect(socket, Limit);
            return client.Run(new RunCommand { Envelope = ByteString.CopyFrom(envelope) }, _ => { });
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static byte[] Reading(ActuatorReport report, int number)
    {
        long now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        Command command = new()
        {
            CommandId = CommandEnvelope.ToBytes(Guid.NewGuid()),
            AgentId = CommandEnvelope.ToBytes(CommandIdentity.AgentOf(report.Fleet, report.Node, report.Incarnation.Span)),
            Sequence = 1,
            NotBeforeUnixMs = now - 60_000,
            NotAfterUnixMs = now + 600_000,
            Risk = RiskClass.R0,
            Nonce = CommandEnvelope.ToBytes(Guid.NewGuid()),
            Diagnose = new Diagnose { Name = $"d{number}" },
        };
        return new SignedCommand { Payload = command.ToByteString() }.ToByteArray();
    }
}
