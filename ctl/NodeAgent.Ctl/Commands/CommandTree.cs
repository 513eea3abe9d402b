using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using NodeAgent.Ctl.Completion;

namespace NodeAgent.Ctl.Commands;

/// <summary>The command line: one line a command. To add one: a class with <c>Build</c> here, its line below, its section in docs/nodectl.md.</summary>
internal static class CommandTree
{
    public static RootCommand Build(GlobalOptions globals, CommandRunner run)
    {
        RootCommand root = new("nodectl asks the aggregator about the fleet, and tells it where jobs go.")
        {
            NodesCommand.Build(run),
            NodeCommand.Build(run),
            SeriesCommand.Build(run),
            QueryCommand.Build(run),
            TopCommand.Build(run),
            WatchCommand.Build(run),
            EventsCommand.Build(run),
            IncidentsCommand.Build(run),
            IncidentCommand.Build(run),
            AckCommand.Build(run),
            SilenceCommand.Build(run),
            SilenceCommand.BuildEnd(run),
            FeedbackCommand.Build(run),
            DetectCommand.Build(run),
            ForecastCommand.Build(run),
            ExplainCommand.Build(run),
            PlaceCommand.Build(run),
            CommitCommand.Build(run),
            JobsCommand.Build(run),
            ReleaseCommand.Build(run),
            CordonCommand.Build(run),
            PlanCommand.Build(run),
            WhatIfCommand.Build(run),
            ScaleCommand.Build(run),
            CommandsCommand.Build(run),
            RunCommand.Build(run),
            RolloutsCommand.Build(run),
            SignCommand.BuildApprove(run),
            RolloutsCommand.BuildCancel(run),
            RolloutsCommand.BuildHalt(run),
            SignCommand.Build(run),
            SignCommand.BuildSubmit(run),
            KeyCommand.Build(run),
            PolicyCommand.Build(run),
            AuditCommand.Build(run),
            UsageCommand.Build(run),
            StatusCommand.Build(run),
            BackupCommand.Build(run),
            DoctorCommand.Build(run),
            BundleCommand.Build(run),
            TokenCommand.Build(run),
            IdentitiesCommand.Build(run),
            RevokeCommand.Build(run),
            QuarantineCommand.Build(run),
            CaCommand.Build(run),
            FleetCommand.Build(run),
            CompletionCommand.Build(run),
            VersionCommand.Build(run),
        };
        globals.AddTo(root);
        foreach (Option option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction inner } help) help.Action = new HelpWithExamples(inner);
        }

        foreach (VersionOption version in root.Options.OfType<VersionOption>().ToList()) root.Options.Remove(version);
        foreach (SuggestDirective suggest in root.Directives.OfType<SuggestDirective>()) suggest.Action = new SuggestAction(suggest);
        return root;
    }
}
