using System.CommandLine;
using NodeAgent.Ctl.Fleet;
using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl fleet init</c> and <c>nodectl fleet issue</c>: the fleet's certificates, without any other tool.</summary>
internal static class FleetCommand
{
    public static Command Build(CommandRunner run) => new("fleet", "Make the fleet's CA and its certificates") { Init(run), Issue(run) };

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
        Command command = new("init", "Make a CA, the aggregator's certificate and yours") { folder, name, serverNames, caller, force };
        run.On(command, (context, _) =>
        {
            string fleet = Checked("--name", context.Parse.GetValue(name)!);
            FleetFolder files = new(context.Parse.GetRequiredValue(folder));
            IReadOnlyList<string> names = Names(context.Parse.GetValue(serverNames), context.World.HostName);
            string who = context.Parse.GetValue(caller) is { } given ? Checked("--operator", given) : User(context.World);
            IReadOnlyList<FleetFileItem> written = new FleetIssuer(context.World.Time).Init(files, fleet, names, who, context.Parse.GetValue(force));

            context.Printer.List(FleetFileItem.Listing, written);
            if (context.Printer.ForPeople)
            {
                context.Warn($"keep {files.AuthorityKey} secret: who has it can make any identity of this fleet");
                context.Warn($"this fleet's nodectl configuration: NODECTL_CONFIG={files.ConfigFile}");
            }

            return Task.CompletedTask;
        });
        return command;
    }

    private static Command Issue(CommandRunner run)
    {
        Argument<string> folder = Folder();
        Argument<string> role = new("role") { HelpName = "ROLE", Description = string.Join(", ", FleetIdentity.Roles) };
        role.CompletionSources.Add([.. FleetIdentity.Roles]);
        Argument<string> name = new("name") { HelpName = "NAME", Description = "The node's or the person's name" };
        Option<int?> days = Values.Count("--days", $"Days of validity (default: {FleetIssuer.MemberValidity.TotalDays:0}; never beyond the CA's)", 1, 3653);
        Option<bool> force = Force();
        Command command = new("issue", "Make a client certificate: issue DIR agent gpu-01") { folder, role, name, days, force };
        run.On(command, (context, _) =>
        {
            string wanted = context.Parse.GetRequiredValue(role);
            if (!FleetIdentity.Roles.Contains(wanted))
            {
                throw CtlException.Usage("cannot issue a certificate", $"'{wanted}' is none of {string.Join(", ", FleetIdentity.Roles)}", Nearest.Question(wanted, FleetIdentity.Roles));
            }

            TimeSpan validity = context.Parse.GetValue(days) is { } given ? TimeSpan.FromDays(given) : FleetIssuer.MemberValidity;
            FleetFolder files = new(context.Parse.GetRequiredValue(folder));
            FleetFileItem written = new FleetIssuer(context.World.Time).Issue(files, wanted, Checked("NAME", context.Parse.GetRequiredValue(name)), validity, context.Parse.GetValue(force));
            context.Printer.List(FleetFileItem.Listing, [written]);
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

    private static string Checked(string what, string text) => FleetIdentity.IsName(text)
        ? text
        : throw CtlException.Usage($"cannot use {what} '{text}'", "names have lower-case letters, digits, dots, dashes and underscores, begin and end with a letter or digit, and are at most 63 long");

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
        return FleetIdentity.IsName(user) ? user : "operator";
    }
}
