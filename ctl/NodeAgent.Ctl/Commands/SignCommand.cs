using System.CommandLine;
using System.Security.Cryptography;
using Google.Protobuf;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.Ctl.Signing;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl sign FILE</c> (offline), <c>submit FILE</c>, and <c>approve ROLLOUT</c>: the second person's signature.</summary>
internal static class SignCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string> file = new("file") { HelpName = "FILE", Description = "From 'nodectl run --save'" };
        Option<string?> key = Key();
        Option<string?> fleet = Fleet();
        Command command = new("sign", "Add your signature to commands in a file; needs no network") { file, fleet, key };
        run.On(command, (context, _) =>
        {
            string path = context.Parse.GetRequiredValue(file);
            SubmitRequest request = SubmissionFile.Read(path);
            using ECDsa secret = OperatorKey.Read(context.Parse.GetValue(key) ?? OperatorKey.DefaultPath(context.World));
            CommandSigner signer = new(secret, FleetName.Id(context, context.Parse.GetValue(fleet)));
            foreach (SignedTarget target in request.Targets)
            {
                SignedCommand envelope = SignedCommand.Parser.ParseFrom(target.Envelope);
                Describe(context, target.Node, envelope.Payload);
                signer.AddTo(envelope);
                target.Envelope = envelope.ToByteString();
            }

            SubmissionFile.Write(path, request);
            context.Warn($"{path}: signed {request.Targets.Count} commands");
            return Task.CompletedTask;
        });
        return command;
    }

    public static Command BuildSubmit(CommandRunner run)
    {
        Argument<string> file = new("file") { HelpName = "FILE", Description = "From 'nodectl run --save'" };
        Option<bool> noWait = new("--no-wait") { Description = "Do not wait for the end" };
        Command command = new("submit", "Submit commands that were signed into a file") { file, noWait };
        run.On(command, async (context, cancellation) =>
        {
            Rollout rollout = await context.Fleet.SubmitAsync(SubmissionFile.Read(context.Parse.GetRequiredValue(file)), cancellation).ConfigureAwait(false);
            return await RolloutFollow.ShowAsync(context, rollout, context.Parse.GetValue(noWait), cancellation).ConfigureAwait(false);
        });
        return command;
    }

    public static Command BuildApprove(CommandRunner run)
    {
        Argument<string> id = new("rollout") { HelpName = "ROLLOUT", Description = "The rollout's id" };
        id.Validators.Add(ParseFailure.RefuseOption);
        Option<string?> key = Key();
        Option<bool> yes = new("--yes") { Description = "Sign; without it the commands are only shown" };
        Option<bool> noWait = new("--no-wait") { Description = "Do not wait for the end" };
        Option<string?> fleet = Fleet();
        Command command = new("approve", "Sign another person's rollout, so that it may begin") { id, fleet, key, yes, noWait };
        run.On(command, async (context, cancellation) =>
        {
            WatchRolloutRequest watch = new() { RolloutId = RolloutFollow.ParseId(context.Parse.GetRequiredValue(id)), WithPayloads = true };
            await using IAsyncEnumerator<Rollout> stream = context.Fleet.WatchRolloutAsync(watch, cancellation).GetAsyncEnumerator(cancellation);
            await stream.MoveNextAsync().ConfigureAwait(false);
            Rollout rollout = stream.Current;
            foreach (TargetState target in rollout.Targets) Describe(context, target.Node, target.Payload);
            if (!context.Parse.GetValue(yes)) throw CtlException.Usage("did not sign", "look at what would be signed", "Then say --yes.");

            Guid fleetId = FleetName.Id(context, context.Parse.GetValue(fleet));
            ApproveRequest request = new() { RolloutId = watch.RolloutId };
            using ECDsa secret = OperatorKey.Read(context.Parse.GetValue(key) ?? OperatorKey.DefaultPath(context.World));
            CommandSigner signer = new(secret, fleetId);
            foreach (TargetState target in rollout.Targets)
            {
                SignedCommand envelope = new() { Payload = target.Payload };
                signer.AddTo(envelope);
                request.Signatures.Add(new ApprovalSignature { CommandId = target.CommandId, Signature = envelope.Signatures[0] });
            }

            rollout = await context.Fleet.ApproveAsync(request, cancellation).ConfigureAwait(false);
            return await RolloutFollow.ShowAsync(context, rollout, context.Parse.GetValue(noWait), cancellation).ConfigureAwait(false);
        });
        return command;
    }

    private static Option<string?> Key() =>
        new("--sign-with") { Description = "Your signing key (default: NODECTL_KEY, else ~/.config/nodectl/operator.key)", HelpName = "file" };

    private static Option<string?> Fleet() => new("--fleet") { Description = "The fleet's name (default: your certificate's)", HelpName = "name" };

    // What is signed is what is shown: the payload's own fields, not what somebody says about it.
    private static void Describe(CommandContext context, string node, ByteString payload)
    {
        if (!CommandEnvelope.TryParseCanonical(V1.Command.Parser, payload.Span, out V1.Command? command)
            || !CommandCatalogue.TryFind(command.ActionCase, out CommandDescription? description))
        {
            throw new CtlException(ExitCode.Failure, "will not sign", $"the command for {Printable.Of(node)} is none that this version knows");
        }

        string parameters = string.Join(' ', description.Parameters.Select(parameter => $"{parameter.Name}={parameter.Show(command)}"));
        string ttl = command.TtlMs > 0 ? $", reverts after {DurationText.Exact(TimeSpan.FromMilliseconds(command.TtlMs))}" : "";
        context.Warn($"{node}: {description.Name} {parameters} ({description.Risk}{ttl}), until {MomentText.Rfc3339(command.NotAfterUnixMs)}: {command.Reason} {command.Ticket}".TrimEnd());
    }
}
