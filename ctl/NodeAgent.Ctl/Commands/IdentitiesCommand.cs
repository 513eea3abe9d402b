using System.CommandLine;
using NodeAgent.Contracts.Identity;
using NodeAgent.Ctl.Fleet;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl identities [NAME] [--all]</c>.</summary>
internal static class IdentitiesCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string?> name = new("name") { HelpName = "NAME", Description = "Only this one", Arity = ArgumentArity.ZeroOrOne };
        name.Validators.Add(ParseFailure.RefuseOption);
        Option<bool> all = new("--all") { Description = "Revoked ones and earlier enrolments too" };
        Command command = new("identities", "List who is enrolled, and until when (admin)") { name, all };
        run.On(command, async (context, cancellation) =>
        {
            ListIdentitiesResponse answer = await context.Fleet.ListIdentitiesAsync(
                new ListIdentitiesRequest { Name = context.Parse.GetValue(name) ?? "", All = context.Parse.GetValue(all) }, cancellation).ConfigureAwait(false);
            context.Printer.List(IdentityItem.Listing, [.. answer.Identities.Select(IdentityItem.From)], About.At(answer.WallUnixMs));
        });
        return command;
    }

    /// <summary>Null: not given.</summary>
    public static Option<string?> Role(string description)
    {
        Option<string?> role = new("--role") { Description = $"{description}: {string.Join(", ", FleetRoles.Names)}", HelpName = "ROLE" };
        role.CompletionSources.Add([.. FleetRoles.Names]);
        return role;
    }

    /// <exception cref="CtlException">It is no role.</exception>
    public static string CheckedRole(string? role) =>
        role is null ? FleetIdentity.RoleName(FleetRole.Agent)
        : FleetRoles.TryParse(role, out FleetRole parsed) ? FleetIdentity.RoleName(parsed)
        : throw CtlException.Usage($"cannot use --role '{role}'", $"it is none of {string.Join(", ", FleetRoles.Names)}", Nearest.Question(role, FleetRoles.Names));
}
