using System.CommandLine;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.Commands.Policy;
using NodeAgent.Ctl.Signing;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl policy check|explain</c>: what a policy file lets a node be told, without a node.</summary>
internal static class PolicyCommand
{
    private const int MaxFileBytes = 256 * 1024;

    public static Command Build(CommandRunner run) => new("policy", "Check a node's policy file, and explain what it decides") { Check(run), Explain(run) };

    private static Command Check(CommandRunner run)
    {
        Argument<string?> file = File();
        Command command = new("check", "List every error of a policy file") { file };
        run.On(command, (context, _) =>
        {
            ActuationPolicy policy = Read(context.Parse.GetValue(file));
            context.World.Out.WriteLine($"the policy is good: {policy.Keys.Keys.Count} keys, {policy.Hash}");
            return Task.CompletedTask;
        });
        return command;
    }

    private static Command Explain(CommandRunner run)
    {
        Argument<string> kind = new("kind") { HelpName = "KIND", Description = "A command, as in 'nodectl commands'" };
        kind.CompletionSources.Add([.. CommandCatalogue.All.Select(row => row.Name)]);
        Option<string?> file = new("--file") { Description = $"The policy file (default: {PolicyReader.DefaultPath})", HelpName = "file" };
        Option<string[]> set = new("--set") { Description = "A parameter: milliwatts=400000; may be repeated", HelpName = "name=value", AllowMultipleArgumentsPerToken = true };
        Option<TimeSpan?> ttl = Values.Duration("--ttl", "How long the setting shall hold (default: for good)");
        Option<bool> dryRun = new("--dry-run") { Description = "As a dry run" };
        Command command = new("explain", "Say whether a policy allows a command, and which rule decides") { kind, file, set, ttl, dryRun };
        run.On(command, (context, _) =>
        {
            ActuationPolicy policy = Read(context.Parse.GetValue(file));
            CommandBuilder builder = CommandBuilder.Read(context.Parse.GetRequiredValue(kind), context.Parse.GetValue(set) ?? []);
            V1.Command asked = builder.Template.Clone();
            asked.Risk = builder.Description.Risk;
            asked.DryRun = context.Parse.GetValue(dryRun);
            asked.TtlMs = (ulong)(context.Parse.GetValue(ttl)?.TotalMilliseconds ?? 0);
            PolicyDecision decision = policy.Decide(asked, builder.Description);
            AttemptCap cap = policy.CapOf(builder.Description);
            context.World.Out.WriteLine($"{builder.Description.Name} ({builder.Description.Risk}): {(decision.Allowed ? "allowed" : "refused")} by {decision.Rule}: {decision.Detail}");
            if (!decision.Allowed) return Task.FromResult(ExitCode.Failure);

            context.World.Out.WriteLine($"at most {cap.PerHour} in an hour and {cap.PerDay} in a day; {policy.TotalPerHour} of all kinds in an hour");
            string[] signers = [.. policy.Keys.Keys.Where(key => key.MaxRisk >= builder.Description.Risk || asked.DryRun).Select(key => key.Owner).Distinct().Order(StringComparer.Ordinal)];
            context.World.Out.WriteLine($"{decision.Approvals} must sign; of {(signers.Length > 0 ? string.Join(", ", signers) : "nobody: no key here may sign it")}");
            return Task.FromResult(signers.Length >= decision.Approvals ? ExitCode.Ok : ExitCode.Failure);
        });
        return command;
    }

    private static Argument<string?> File() =>
        new("file") { HelpName = "FILE", Description = $"The policy file (default: {PolicyReader.DefaultPath})", Arity = ArgumentArity.ZeroOrOne };

    // Who may have written the file is the actuator's question; here it may lie anywhere.
    private static ActuationPolicy Read(string? given)
    {
        string path = given ?? PolicyReader.DefaultPath;
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes) throw new CtlException(ExitCode.Failure, "cannot read the policy", $"{path} is larger than {MaxFileBytes} bytes");
            if (PolicyReader.TryParse(System.IO.File.ReadAllBytes(path), out ActuationPolicy? policy, out IReadOnlyList<string> errors)) return policy;
            throw new CtlException(ExitCode.Failure, $"{path} is no policy", errors[0]) { Details = [.. errors.Skip(1)] };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CtlException(ExitCode.Failure, "cannot read the policy", e.Message, cause: e);
        }
    }
}
