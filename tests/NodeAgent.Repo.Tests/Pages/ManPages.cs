using System.CommandLine;
using NodeAgent.Ctl.Commands;
using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Repo.Tests.Pages;

/// <summary>Manual pages from the command trees and the settings.</summary>
internal static class ManPages
{
    public static string Nodeagent() => Service(
        "nodeagent", "samples a GPU host and streams its telemetry to the aggregator", "nodeagent", "NODEAGENT_",
        [
            "The agent reads processors, memory, disks, network, control groups, sensors, the kernel log and NVIDIA GPUs, by default once a second, writes what it read to a spool on disk and streams it to its aggregator over mutual TLS. It only dials out and has no listening port.",
            "GPUs are read by a child process that may hang or crash alone. Commands are carried out by `nodeagent actuator`, which systemd starts when the agent hands one over; without `/etc/nodeagent/policy.json` there is none.",
        ],
        [
            ("/etc/nodeagent/nodeagent.json", "The configuration, nodeagent.json(5); files in /etc/nodeagent/nodeagent.d come on top."),
            ("/etc/nodeagent/join.token", "A join token (`nodectl token create`), with which the agent gets its certificate at its first start."),
            ("/var/lib/nodeagent/identity", "This host's key, certificate and the fleet's roots; renewed by the agent itself. Never copy it to another host."),
            ("/etc/nodeagent/policy.json", "What commands may do on this host. Only root may be able to write it."),
            ("/var/lib/nodeagent/spool", "What the aggregator has not acknowledged yet."),
            ("/run/nodeagent/gpu", "GPUs that the agent shall let go of."),
        ],
        """
        # from the administrator's machine
        nodectl token create gpu-01 --file gpu-01.token
        scp gpu-01.token gpu-01:
        # on the host: as /etc/nodeagent/join.token (root:nodeagent, 0640), the address in /etc/nodeagent/nodeagent.json, then
        nodeagent run --check-config && systemctl enable --now nodeagent
        """);

    public static string Aggregator() => Service(
        "aggregator", "keeps and answers for the telemetry of a fleet of GPU hosts", "nodeagent-aggregator", "AGGREGATOR_",
        [
            "The aggregator takes what agents send, keeps it in a time-series store of its own, answers queries over gRPC, and says where jobs should go. Agents and people connect with mutual TLS 1.3; what a certificate says its owner is decides what may be called.",
            "`aggregator backup`, `restore` and `inspect` work on a stopped one; `nodectl backup` on one that runs.",
        ],
        [
            ("/etc/nodeagent/aggregator.json", "The configuration, aggregator.json(5); files in /etc/nodeagent/aggregator.d come on top."),
            ("/etc/nodeagent/aggregator.crt, aggregator.key, fleet/ca.crt, fleet/issuer.crt, fleet/issuer.key", "Its certificate and key, the fleet's root, and the issuing CA with its key. systemd hands the service copies in /run/credentials/nodeagent-aggregator.service."),
            ("/var/lib/nodeagent-aggregator", "The log, the store and everything else that must survive a restart."),
            ("/usr/share/nodeagent-aggregator", "Rules for Prometheus and dashboards for Grafana."),
        ],
        """
        nodectl fleet init ./lab --name lab --server-name aggregator.lab
        install -D -m 0644 lab/ca.crt /etc/nodeagent/fleet/ca.crt
        install -m 0644 lab/issuer.crt /etc/nodeagent/fleet/issuer.crt
        install -m 0600 lab/issuer.key /etc/nodeagent/fleet/issuer.key
        install -m 0644 lab/aggregator.crt /etc/nodeagent/aggregator.crt
        install -m 0600 lab/aggregator.key /etc/nodeagent/aggregator.key
        systemctl enable --now nodeagent-aggregator
        """);

    public static string Settings<TOptions>(string program, SettingCatalog<TOptions> settings)
        where TOptions : class, new()
    {
        Roff page = new($"{program}.json", 5, $"configuration of {program}");
        page.Section("Description").Paragraph(
            "JSON with comments and trailing commas. Defaults, then the file, then the files of its .d folder in the order of their names, then environment variables, then `--set key=value`. "
            + $"An unknown key is an error and says what was probably meant. `{program} run --check-config` checks, `{program} config show --sources` prints what is in effect and where from.");
        foreach (SettingView section in settings.Template())
        {
            page.Section(section.Key).Paragraph(section.Help);
            foreach (SettingView leaf in Leaves(section))
            {
                string fallback = leaf.Json is { } json ? $" Default: {json}." : leaf.Required ? " Required." : "";
                page.Item(leaf.Key, $"{leaf.Help} Allowed: {leaf.Allowed}.{fallback}");
            }
        }

        return page.Section("See also").Paragraph($"{program}(8)").ToString();
    }

    public static string Nodectl(RootCommand root)
    {
        Roff page = new("nodectl", 1, "asks a fleet of GPU hosts how it is, and tells it what to do");
        page.Section("Synopsis").Paragraph("`nodectl` COMMAND [ARGUMENTS] [OPTIONS]").Section("Description").Paragraph(root.Description!)
            .Paragraph("Data goes to standard output, everything else to standard error. JSON documents carry a version and keep their fields.");
        page.Section("Commands");
        Commands(page, "nodectl", root);
        page.Section("Options of every command");
        Options(page, root.Options);
        page.Section("Exit status");
        foreach ((string code, string meaning) in new[]
        {
            ("0", "Done."), ("1", "It ran and failed; doctor: a check failed; place, what-if: no place; plan: the goal is not reached."),
            ("2", "Unknown command or option, a value that cannot be read, an invalid expression or configuration."), ("3", "No connection to the aggregator, or it is stopping."),
            ("4", "The node or job asked for is not known."), ("5", "No identity, one that is not accepted, or one without the needed role."), ("6", "No answer within --timeout."), ("130", "Interrupted."),
        })
        {
            page.Item(code, meaning);
        }

        page.Section("Environment").Item("NODECTL_SERVER, NODECTL_CA, NODECTL_CERT, NODECTL_KEY, NODECTL_PROFILE", "As the options of the same names.")
            .Item("NODECTL_CONFIG", "The configuration file, or the folder of config.json.").Item("NO_COLOR", "No colours.");
        return page.Section("Files").Item("~/.config/nodectl/config.json", "Profiles: where aggregators are, and with which certificate.")
            .Section("See also").Paragraph("nodeagent(8), aggregator(8)").ToString();
    }

    private static string Service(string program, string purpose, string unit, string prefix, string[] description, (string Path, string Meaning)[] files, string example)
    {
        Roff page = new(program, 8, purpose);
        page.Section("Synopsis").Paragraph($"`{program}` COMMAND [--config FILE]... [--set KEY=VALUE]...");
        page.Section("Description");
        foreach (string paragraph in description)
        {
            page.Paragraph(paragraph);
        }

        page.Section("Commands").Item("run", "Run in the foreground, as a service manager wants it.")
            .Item("run --check-config", "Check the configuration and end: 0 when it is good, else 2 and every error with file, line and column.")
            .Item("config show [--effective] [--sources]", "Print the effective configuration; with --sources, where each value comes from.")
            .Item("config example", "Print an annotated example with every setting and its default.").Item("version, help", "");
        page.Section("Files");
        foreach ((string path, string meaning) in files)
        {
            page.Item(path, meaning);
        }

        page.Section("Environment").Item($"{prefix}SECTION__KEY", "Sets a key of the configuration.")
            .Item("NOTIFY_SOCKET, WATCHDOG_USEC, CREDENTIALS_DIRECTORY, STATE_DIRECTORY, RUNTIME_DIRECTORY", "As systemd sets them.");
        page.Section("Signals").Item("SIGTERM, SIGINT", "Stop in an orderly way; a second one more than a second later ends it at once.")
            .Item("SIGHUP", $"Read the configuration again, as `systemctl reload {unit}`. One that is not good is reported, and the old one stays. Settings that take a restart are named.");
        page.Section("Exit status").Item("0", "Stopped as asked.").Item("1", "Failed for a reason in the log; trying again may help.")
            .Item("2", "Wrong arguments, configuration or certificates.").Item("3", "An address to listen on is in use or not ours.")
            .Item("4", "The data folder cannot be used.").Item("8", "Asked to stop, but work did not end in time.");
        page.Section("Examples").Literal(example);
        return page.Section("See also").Paragraph($"{program}.json(5), nodectl(1), systemctl(1), journalctl(1)").ToString();
    }

    private static IEnumerable<SettingView> Leaves(SettingView setting) => setting.Children is null ? [setting]
        : setting.Children.Where(child => !setting.IsMap || child.IsTemplate).SelectMany(Leaves);

    private static void Commands(Roff page, string path, Command parent)
    {
        foreach (Command command in parent.Subcommands.Where(command => !command.Hidden))
        {
            string arguments = string.Concat(command.Arguments.Where(argument => !argument.Hidden).Select(argument => $" {argument.HelpName ?? argument.Name.ToUpperInvariant()}"));
            page.Subsection($"{path} {command.Name}{arguments}").Paragraph(command.Description is { Length: > 0 } text ? text : command.Name);
            Options(page, command.Options);
            Commands(page, $"{path} {command.Name}", command);
        }
    }

    private static void Options(Roff page, IEnumerable<Option> options)
    {
        foreach (Option option in options.Where(option => !option.Hidden))
        {
            string names = string.Join(", ", option.Aliases.Append(option.Name).OrderBy(name => name.Length));
            string value = option.HelpName is { } help ? $" {help}" : option.ValueType == typeof(bool) ? "" : $" {option.Name.TrimStart('-').ToUpperInvariant()}";
            page.Item(names + value, option.Description ?? "");
        }
    }
}
