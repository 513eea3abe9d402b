using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Commands;
using NodeAgent.Commands.Envelope;
using NodeAgent.Rpc;
using NodeAgent.Rpc.Security;
using NodeAgent.Testing.Processes;
using NodeAgent.V1;

namespace NodeAgent.Benchmarks.Commands;

/// <summary>
/// One command after the other from submit to executed-and-verified: the real aggregator, agent and actuator over mutual TLS on loopback,
/// every journal synced. A no-op of class R1, so that all that is measured is the way. Preparing and signing are before the clock starts.
/// </summary>
internal static class CommandBenchmark
{
    private const string Node = "bench";

    internal static async Task<int> RunAsync(string[] arguments)
    {
        int count = Arguments.Number(arguments, "--count", 500);
        int warmUp = Arguments.Number(arguments, "--warm-up", 50);
        string folder = Directory.CreateTempSubdirectory("nodeagent-bench-").FullName;
        try
        {
            await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions { Folder = folder, Node = Node, AgentSettings = [LocalActuator.SettingIn(folder)] }).ConfigureAwait(false);
            using LocalActuator actuator = await LocalActuator.StartAsync(folder, """ "no_op": { "allow": true, "max_per_hour": 3600, "max_per_day": 36000 } """).ConfigureAwait(false);

            // It was not there when the agent connected; another connection finds it.
            await pair.Agent!.StopAsync(LocalPair.StopLimit).ConfigureAwait(false);
            await pair.StartAgentAsync().ConfigureAwait(false);
            IReadOnlyList<string> ctl = pair.CtlArguments;
            if (MutualTls.TryLoadAuthorities(ctl[3], out string error) is not { } authorities || MutualTls.TryLoadIdentity(ctl[5], ctl[7], out error) is not { } own)
            {
                throw new InvalidOperationException(error);
            }

            using RpcChannel channel = RpcChannel.ForAddress($"https://{pair.Address}", new RpcChannelOptions { Tls = () => MutualTls.ClientOptions("127.0.0.1", authorities, own) });
            return await MeasureAsync(new V1.Commands.CommandsClient(channel), new CommandSigner(actuator.Key, CommandIdentity.FleetOf("local")), warmUp, count).ConfigureAwait(false);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> MeasureAsync(V1.Commands.CommandsClient client, CommandSigner signer, int warmUp, int count)
    {
        for (int i = 0; i < warmUp; i++)
        {
            await RunOneAsync(client, signer).ConfigureAwait(false);
        }

        double[] milliseconds = new double[count];
        for (int i = 0; i < count; i++)
        {
            milliseconds[i] = await RunOneAsync(client, signer).ConfigureAwait(false);
        }

        double perSecond = count / (milliseconds.Sum() / 1000);
        Array.Sort(milliseconds);
        double p50 = milliseconds[count / 2];
        double p99 = milliseconds[Math.Min(count - 1, (int)(count * 0.99))];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} commands: p50 {p50:0.0} ms, p99 {p99:0.0} ms, slowest {milliseconds[^1]:0.0} ms, {perSecond:0.0} a second one after the other"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $$"""{"p50_ms":{{p50:0.00}},"p99_ms":{{p99:0.00}},"commands_per_s":{{perSecond:0.0}}}"""));
        return 0;
    }

    // From the call to the message that says that the node did it and read it back.
    private static async Task<double> RunOneAsync(V1.Commands.CommandsClient client, CommandSigner signer)
    {
        SubmitRequest request = await SignAsync(client, signer).ConfigureAwait(false);
        long began = Stopwatch.GetTimestamp();
        Rollout rollout = await client.SubmitAsync(request);
        using AsyncServerStreamingCall<Rollout> watch = client.Watch(new WatchRolloutRequest { RolloutId = rollout.RolloutId });
        while (await watch.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
        {
            TargetState target = watch.ResponseStream.Current.Targets[0];
            if (target.Phase is TargetPhase.Succeeded)
            {
                return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            }

            if (target.Phase is not (TargetPhase.Waiting or TargetPhase.Sent))
            {
                throw new InvalidOperationException($"the command ended as {target.Phase}: {target.Result?.Refusal} {target.Result?.Detail}{target.Detail}");
            }
        }

        throw new InvalidOperationException("the rollout ended without its command");
    }

    private static async Task<SubmitRequest> SignAsync(V1.Commands.CommandsClient client, CommandSigner signer)
    {
        PrepareResponse prepared = await client.PrepareAsync(new PrepareRequest { Selector = Node, Kind = "no_op" });
        for (int tries = 0; prepared.Targets.Count == 0; tries++)
        {
            // Right after a start the agent has not said yet what it can do.
            if (tries == 50) throw new InvalidOperationException(prepared.Unreachable[0].Reason);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System).ConfigureAwait(false);
            prepared = await client.PrepareAsync(new PrepareRequest { Selector = Node, Kind = "no_op" });
        }

        CommandTarget target = prepared.Targets[0];
        Command command = new()
        {
            CommandId = CommandEnvelope.ToBytes(CommandEnvelope.NewId(DateTimeOffset.FromUnixTimeMilliseconds(prepared.WallUnixMs))),
            AgentId = CommandEnvelope.ToBytes(CommandIdentity.AgentOf(target.Fleet, target.Node, target.Incarnation.Span)),
            Sequence = target.Sequence,
            NotBeforeUnixMs = prepared.WallUnixMs - 60_000,
            NotAfterUnixMs = prepared.WallUnixMs + 600_000,
            Risk = RiskClass.R1,
            Reason = "bench",
            Nonce = CommandEnvelope.ToBytes(Guid.NewGuid()),
            NoOp = new NoOp(),
        };
        SubmitRequest request = new() { RolloutId = CommandEnvelope.ToBytes(Guid.NewGuid()) };
        request.Targets.Add(new SignedTarget { Node = target.Node, Envelope = signer.Sign(command).ToByteString() });
        return request;
    }
}
