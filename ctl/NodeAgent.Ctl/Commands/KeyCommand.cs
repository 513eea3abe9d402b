using System.CommandLine;
using System.Security.Cryptography;
using NodeAgent.Commands.Envelope;
using NodeAgent.Ctl.Signing;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl key create|show</c>: the key with which you sign commands.</summary>
internal static class KeyCommand
{
    public static Command Build(CommandRunner run) => new("key", "Your key for signing commands; it never leaves this machine") { Create(run), Show(run) };

    private static Command Create(CommandRunner run)
    {
        Argument<string?> file = File();
        Command command = new("create", "Make a key and print what a node's policy must say to trust it") { file };
        run.On(command, (context, _) =>
        {
            string path = context.Parse.GetValue(file) ?? OperatorKey.DefaultPath(context.World);
            using ECDsa key = OperatorKey.Create(path);
            context.Warn($"made {path}");
            Print(context, key);
            return Task.CompletedTask;
        });
        return command;
    }

    private static Command Show(CommandRunner run)
    {
        Argument<string?> file = File();
        Command command = new("show", "Print a key's id and what a node's policy must say to trust it") { file };
        run.On(command, (context, _) =>
        {
            using ECDsa key = OperatorKey.Read(context.Parse.GetValue(file) ?? OperatorKey.DefaultPath(context.World));
            Print(context, key);
            return Task.CompletedTask;
        });
        return command;
    }

    private static Argument<string?> File() =>
        new("file") { HelpName = "FILE", Description = "The key's file (default: NODECTL_KEY, else ~/.config/nodectl/operator.key)", Arity = ArgumentArity.ZeroOrOne };

    private static void Print(CommandContext context, ECDsa key)
    {
        string owner = context.World.Variable("USER") ?? "you";
        context.Warn($"key id {Convert.ToHexStringLower(CommandEnvelope.KeyIdOf(key))}; in each node's policy, under trust:");
        context.World.Out.WriteLine($$"""{ "owner": "{{owner}}", "public_key": "{{OperatorKey.PublicText(key)}}", "max_risk": "R2" }""");
    }
}
