using System.CommandLine;
using NodeAgent.Ctl.Completion;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl revoke NAME</c>: for good.</summary>
internal static class RevokeCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string> name = new("name") { HelpName = "NAME", Description = "Node or person" };
        name.Validators.Add(ParseFailure.RefuseOption);
        name.CompletionSources.Add(context => NodeNames.Complete(run, context));
        Option<string?> role = IdentitiesCommand.Role("Its role (default: agent)");
        Option<string?> reason = new("--reason") { Description = "For the record", HelpName = "TEXT" };
        Option<bool> unknown = new("--unknown") { Description = "Also where nobody was enrolled by that name: certificates made by hand for it are refused" };
        Command command = new("revoke", "Shut a member out for good, within seconds; its name can be enrolled anew (admin)") { name, role, reason, unknown };
        run.On(command, async (context, cancellation) =>
        {
            RevokeIdentityResponse answer = await context.Fleet.RevokeIdentityAsync(new RevokeIdentityRequest
            {
                Name = context.Parse.GetRequiredValue(name),
                Role = IdentitiesCommand.CheckedRole(context.Parse.GetValue(role)),
                Reason = context.Parse.GetValue(reason) ?? "",
                Unknown = context.Parse.GetValue(unknown),
            }, cancellation).ConfigureAwait(false);
            context.Printer.List(IdentityItem.Listing, [IdentityItem.From(answer.Identity)]);
            if (context.Printer.ForPeople) context.Warn($"connections ended: {answer.Connections}");
        });
        return command;
    }
}

/// <summary><c>nodectl quarantine NAME [--lift]</c>: until somebody has looked.</summary>
internal static class QuarantineCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string> name = new("name") { HelpName = "NAME", Description = "Node or person" };
        name.Validators.Add(ParseFailure.RefuseOption);
        name.CompletionSources.Add(context => NodeNames.Complete(run, context));
        Option<string?> role = IdentitiesCommand.Role("Its role (default: agent)");
        Option<string?> reason = new("--reason") { Description = "For the record", HelpName = "TEXT" };
        Option<bool> lift = new("--lift") { Description = "Let it in again" };
        Command command = new("quarantine", "Shut a member out until it is lifted (admin)") { name, role, reason, lift };
        run.On(command, async (context, cancellation) =>
        {
            QuarantineIdentityResponse answer = await context.Fleet.QuarantineIdentityAsync(new QuarantineIdentityRequest
            {
                Name = context.Parse.GetRequiredValue(name),
                Role = IdentitiesCommand.CheckedRole(context.Parse.GetValue(role)),
                Reason = context.Parse.GetValue(reason) ?? "",
                Lift = context.Parse.GetValue(lift),
            }, cancellation).ConfigureAwait(false);
            context.Printer.List(IdentityItem.Listing, [IdentityItem.From(answer.Identity)]);
        });
        return command;
    }
}
