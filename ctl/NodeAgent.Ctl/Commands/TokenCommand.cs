using System.CommandLine;
using NodeAgent.Ctl.Fleet;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl token create|list|revoke</c>: join tokens, each for one host, once.</summary>
internal static class TokenCommand
{
    public static Command Build(CommandRunner run) => new("token", "Join tokens: what a host is enrolled with, once (admin)") { Create(run), List(run), Revoke(run) };

    private static Command Create(CommandRunner run)
    {
        Argument<string> name = new("name") { HelpName = "NAME", Description = "The node's name" };
        name.Validators.Add(ParseFailure.RefuseOption);
        Option<string?> role = IdentitiesCommand.Role("What it enrols as (default: agent)");
        Option<TimeSpan?> ttl = Values.Duration("--ttl", "How long it can be used (default: 1h; at most 24h)");
        Option<string?> file = new("--file") { Description = "Write the token there, readable by you alone, instead of printing it", HelpName = "FILE" };
        Command command = new("create", "Make a token for one host") { name, role, ttl, file };
        run.On(command, async (context, cancellation) =>
        {
            CreateTokenResponse answer = await context.Fleet.CreateTokenAsync(new CreateTokenRequest
            {
                Name = context.Parse.GetRequiredValue(name),
                Role = IdentitiesCommand.CheckedRole(context.Parse.GetValue(role)),
                TtlSeconds = (uint)Math.Ceiling((context.Parse.GetValue(ttl) ?? TimeSpan.Zero).TotalSeconds),
            }, cancellation).ConfigureAwait(false);
            string? path = context.Parse.GetValue(file);
            if (path is not null) PrivateFile.Write(path, answer.Token + "\n");
            if (context.Printer.ForPeople)
            {
                context.World.Out.WriteLine(path ?? answer.Token);
                context.Warn($"for {answer.Info.Role}/{answer.Info.Name}, once, until {MomentText.DateAndClock(answer.Info.ExpiresUnixMs)} UTC; it is not told again. On the host: nodeagent enrol --token-file FILE --server HOST");
            }
            else
            {
                context.Printer.List(TokenItem.Listing, [TokenItem.From(answer.Info, path is null ? answer.Token : null)]);
            }
        });
        return command;
    }

    private static Command List(CommandRunner run)
    {
        Command command = new("list", "List tokens, without their secrets; ended ones for a month");
        run.On(command, async (context, cancellation) =>
        {
            ListTokensResponse answer = await context.Fleet.ListTokensAsync(new ListTokensRequest(), cancellation).ConfigureAwait(false);
            context.Printer.List(TokenItem.Listing, [.. answer.Tokens.Select(token => TokenItem.From(token))], About.At(answer.WallUnixMs));
        });
        return command;
    }

    private static Command Revoke(CommandRunner run)
    {
        Argument<string> id = new("id") { HelpName = "ID", Description = "The token's id, the part behind 'na1.'" };
        id.Validators.Add(ParseFailure.RefuseOption);
        Command command = new("revoke", "Make a token useless; what was enrolled with it stays") { id };
        run.On(command, async (context, cancellation) =>
        {
            string given = context.Parse.GetRequiredValue(id);
            await context.Fleet.RevokeTokenAsync(new RevokeTokenRequest { Id = given }, cancellation).ConfigureAwait(false);
            context.World.Out.WriteLine($"token {Printable.Of(given)} is of no use any more");
        });
        return command;
    }
}
