using System.CommandLine;
using System.Security.Cryptography;
using Google.Protobuf;
using NodeAgent.Commands;
using NodeAgent.Commands.Envelope;
using NodeAgent.Ctl.Signing;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl run KIND --on SELECTOR</c>: asks which nodes, signs one command for each here, submits them, and watches.</summary>
internal sealed class RunCommand
{
    private readonly Argument<string> _kind = new("kind") { HelpName = "KIND", Description = "What to do; `nodectl commands` lists all" };
    private readonly Option<string> _on = new("--on") { Description = "Nodes: names with * and ?, separated by commas; or all", HelpName = "selector", Required = true };
    private readonly Option<string[]> _set = new("--set") { Description = "A parameter: milliwatts=400000; may be repeated", HelpName = "name=value", AllowMultipleArgumentsPerToken = true };
    private readonly Option<TimeSpan?> _ttl = Values.Duration("--ttl", "How long the setting holds before the node puts back what was there (default: for good, where the command allows it)");
    private readonly Option<string?> _reason = new("--reason") { Description = "Why, for the audit (needed above R0)", HelpName = "text" };
    private readonly Option<string?> _ticket = new("--ticket") { Description = "A ticket or incident, for the audit", HelpName = "text" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Have every node check its preconditions, and change nothing" };
    private readonly Option<TimeSpan?> _soak = Values.Duration("--soak", "Pause between two waves (default: 1m, at most 10m)");
    private readonly Option<string?> _key = new("--sign-with") { Description = "Your signing key (default: NODECTL_KEY, else ~/.config/nodectl/operator.key)", HelpName = "file" };
    private readonly Option<bool> _yes = new("--yes") { Description = "Needed for what disturbs work (R2 and R3)" };
    private readonly Option<bool> _noWait = new("--no-wait") { Description = "Do not wait for the end" };
    private readonly Option<string?> _save = new("--save") { Description = "Write the signed commands to a file instead of submitting them, for 'nodectl sign' and 'nodectl submit'", HelpName = "file" };

    public static Command Build(CommandRunner run)
    {
        RunCommand verb = new();
        verb._kind.Validators.Add(ParseFailure.RefuseOption);
        verb._kind.CompletionSources.Add([.. NodeAgent.Commands.Catalogue.CommandCatalogue.All.Select(row => row.Name)]);
        Command command = new("run", "Sign a command and have nodes carry it out, in waves")
        {
            verb._kind, verb._on, verb._set, verb._ttl, verb._reason, verb._ticket, verb._dryRun, verb._soak, verb._key, verb._yes, verb._noWait, verb._save,
        };
        run.On(command, verb.RunAsync);
        return command;
    }

    private async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        ParseResult parse = context.Parse;
        CommandBuilder builder = CommandBuilder.Read(parse.GetRequiredValue(_kind), parse.GetValue(_set) ?? []);
        CommandFrame frame = new(parse.GetValue(_ttl) ?? TimeSpan.Zero, parse.GetValue(_dryRun), parse.GetValue(_reason) ?? "", parse.GetValue(_ticket) ?? "");
        bool mustSign = builder.Description.Risk > RiskClass.R0 && !frame.DryRun;
        if (mustSign && builder.Description.Risk >= RiskClass.R2 && !parse.GetValue(_yes))
        {
            throw CtlException.Usage($"will not run {builder.Description.Name}", $"it is {builder.Description.Risk} and disturbs work", "Look first with --dry-run, then say --yes.");
        }

        PrepareRequest wanted = new()
        {
            Selector = parse.GetRequiredValue(_on),
            Kind = builder.Description.Name,
            DryRun = frame.DryRun,
            SoakMs = (uint)Math.Min(uint.MaxValue, parse.GetValue(_soak)?.TotalMilliseconds ?? 0),
        };
        PrepareResponse prepared = await context.Fleet.PrepareAsync(wanted, cancellation).ConfigureAwait(false);
        foreach (UnreachableNode node in prepared.Unreachable) context.Warn($"{node.Node} is left out: {node.Reason}");
        if (prepared.Targets.Count == 0) throw new CtlException(ExitCode.Failure, "nothing to run on", $"none of the nodes that '{wanted.Selector}' names can be commanded");

        SubmitRequest request = Sign(context, builder, frame, prepared, mustSign);
        request.Selector = wanted.Selector;
        if (parse.GetValue(_save) is { } file)
        {
            SubmissionFile.Write(file, request);
            context.Warn($"{file}: {request.Targets.Count} signed commands, {prepared.Approvals} must sign; valid for 15 minutes");
            return ExitCode.Ok;
        }

        Rollout rollout = await context.Fleet.SubmitAsync(request, cancellation).ConfigureAwait(false);
        return await RolloutFollow.ShowAsync(context, rollout, parse.GetValue(_noWait), cancellation).ConfigureAwait(false);
    }

    private SubmitRequest Sign(CommandContext context, CommandBuilder builder, CommandFrame frame, PrepareResponse prepared, bool mustSign)
    {
        SubmitRequest request = new() { RolloutId = CommandEnvelope.ToBytes(CommandEnvelope.NewId(DateTimeOffset.FromUnixTimeMilliseconds(prepared.WallUnixMs))), SoakMs = prepared.SoakMs };
        using ECDsa? key = mustSign ? OperatorKey.Read(context.Parse.GetValue(_key) ?? OperatorKey.DefaultPath(context.World)) : null;
        string fleet = FleetName.Of(context, given: null);
        foreach (CommandTarget target in prepared.Targets)
        {
            // Where two fleets trust one key, an aggregator could otherwise have it sign for the other's node of that name.
            if (target.Fleet != fleet) throw new CtlException(ExitCode.Failure, "will not sign", $"{target.Node} says it is of fleet '{target.Fleet}', and this is '{fleet}'");
            V1.Command payload = builder.For(target, frame, prepared);
            if (CommandSchema.Check(payload, out _) is { } problem) throw CtlException.Usage($"cannot run {builder.Description.Name}", problem.Detail);
            SignedCommand envelope = key is null
                ? new SignedCommand { Payload = payload.ToByteString() }
                : new CommandSigner(key, CommandIdentity.FleetOf(target.Fleet)).Sign(payload);
            request.Targets.Add(new SignedTarget { Node = target.Node, Envelope = envelope.ToByteString() });
        }

        return request;
    }
}
