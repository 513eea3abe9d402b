using System.CommandLine;
using NodeAgent.Contracts.Identity;
using NodeAgent.Ctl.Fleet;
using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl fleet init</c> and <c>nodectl fleet issue</c>: the fleet's certificates, without any other tool.</summary>
internal static class FleetCommand
{
    public static Command Build(CommandRunner run) => new("fleet", "Make the fleet's CA and its certificates") { Init(run), Issue(run), Issuer(run) };

    private static Command Init(CommandRunner run)
    {
        Argument<string> folder = Folder();
        Option<string?> name = new("--name") { Description = "The fleet's name: lower-case letters, digits, dot, dash", HelpName = "FLEET", Required = true };
        Option<string?> serverNames = new("--server-name")
        {
            Description = "DNS names and addresses of the aggregator (default: localhost, 127.0.0.1, ::1 and this host)",
            HelpName = "name,…",
        };
        Option<string?> caller = new("--operator") { Description = "Name in your own certificate (default: the user's name)", HelpName = "NAME" };
        Option<bool> force = Force();
        Command command = new("init", "Make a CA, the aggregator's certificates and yours") { folder, name, serverNames, caller, force };
        run.On(command, (context, _) =>
        {
            string fleet = CheckedFleet(context.Parse.GetValue(name)!);
            FleetFolder files = new(context.Parse.GetRequiredValue(folder));
            IReadOnlyList<string> names = Names(context.Parse.GetValue(serverNames), context.World.HostName);
            string who = context.Parse.GetValue(caller) is { } given ? CheckedName("--operator", given) : User(context.World);
            IReadOnlyList<FleetFileItem> written = new FleetIssuer(context.World.Time).Init(files, fleet, names, who, context.Parse.GetValue(force));

            context.Printer.List(FleetFileItem.Listing, written);
            if (context.Printer.ForPeople)
            {
                context.Warn($"keep {files.AuthorityKey} away from every machine with a network: who has it can make any identity of this fleet");
                context.Warn($"this fleet's nodectl configuration: NODECTL_CONFIG={files.ConfigFile}; as admin: --profile {FleetIssuer.AdminProfile(fleet)}");
            }

            return Task.CompletedTask;
        });
        return command;
    }

    private static Command Issue(CommandRunner run)
    {
        Argument<string> folder = Folder();
        Argument<string> role = new("role") { HelpName = "ROLE", Description = string.Join(", ", FleetRoles.Names) };
        role.CompletionSources.Add([.. FleetRoles.Names]);
        Argument<string> name = new("name") { HelpName = "NAME", Description = "The node's or the person's name" };
        Option<int?> days = Values.Count("--days", $"Days of validity (default: {FleetIssuer.MemberValidity.TotalDays:0}; never beyond the CA's)", 1, 3653);
        Option<bool> force = Force();
        Command command = new("issue", "Make a client certificate: issue DIR agent gpu-01") { folder, role, name, days, force };
        run.On(command, (context, _) =>
        {
            string wanted = context.Parse.GetRequiredValue(role);
            if (!FleetRoles.TryParse(wanted, out FleetRole parsed))
            {
                throw CtlException.Usage("cannot issue a certificate", $"'{wanted}' is none of {string.Join(", ", FleetRoles.Names)}", Nearest.Question(wanted, FleetRoles.Names));
            }

            TimeSpan validity = context.Parse.GetValue(days) is { } given ? TimeSpan.FromDays(given) : FleetIssuer.MemberValidity;
            FleetFolder files = new(context.Parse.GetRequiredValue(folder));
            FleetFileItem written = new FleetIssuer(context.World.Time).Issue(files, parsed, CheckedName("NAME", context.Parse.GetRequiredValue(name)), validity, context.Parse.GetValue(force));
            context.Printer.List(FleetFileItem.Listing, [written]);
            return Task.CompletedTask;
        });
        return command;
    }

    private static Command Issuer(CommandRunner run)
    {
        Argument<string> folder = Folder();
        Command command = new("issuer", "Make a new issuing CA for the aggregator; the one before stays good until it ends") { folder };
        run.On(command, (context, _) =>
        {
            FleetFileItem written = new FleetIssuer(context.World.Time).RenewIssuer(new FleetFolder(context.Parse.GetRequiredValue(folder)));
            context.Printer.List(FleetFileItem.Listing, [written]);
            if (context.Printer.ForPeople) context.Warn("copy both files to the aggregator, then: nodectl ca reload");
            return Task.CompletedTask;
        });
        return command;
    }

    private static Argument<string> Folder()
    {
        Argument<string> folder = new("dir") { HelpName = "DIR", Description = "The fleet's folder" };
        folder.Validators.Add(ParseFailure.RefuseOption);
        return folder;
    }

    private static Option<bool> Force() => new("--force") { Description = "Replace files that exist" };

    // Lower case only: the fleet stands where a URI has its host, which some readers compare without case and some with it.
    private static string CheckedFleet(string text) => FleetIdentity.IsFleetName(text) && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.')
        ? text
        : throw CtlException.Usage($"cannot use --name '{text}'", "a fleet's name has lower-case letters, digits, dots and dashes, at most 63");

    private static string CheckedName(string what, string text) => FleetIdentity.IsHolderName(text)
        ? text
        : throw CtlException.Usage($"cannot use {what} '{text}'", "a name has letters, digits, dots, dashes and underscores, at most 253");

    private static string[] Names(string? given, string hostName)
    {
        if (given is null) return [.. new[] { "localhost", "127.0.0.1", "::1", hostName.ToLowerInvariant() }.Distinct()];
        string[] names = given.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (string name in names)
        {
            if (Uri.CheckHostName(name) == UriHostNameType.Unknown) throw CtlException.Usage($"cannot use --server-name '{name}'", "it is neither a DNS name nor an IP address", "Separate several with commas, without ports.");
        }

        return names.Length > 0 ? names : throw CtlException.Usage("cannot use --server-name", "it is empty");
    }

    // The login name as far as it is a name; "operator" otherwise.
    private static string User(CtlWorld world)
    {
        string user = (world.Variable("SUDO_USER") ?? world.Variable("USER") ?? world.Variable("USERNAME") ?? "operator").ToLowerInvariant();
        return FleetIdentity.IsHolderName(user) ? user : "operator";
    }
}
