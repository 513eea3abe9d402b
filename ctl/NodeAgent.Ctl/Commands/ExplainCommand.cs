using System.CommandLine;
using NodeAgent.Contracts.Xids;
using NodeAgent.Ctl.Views;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl explain xid N</c>: what an error number means, what to do, and who says so. Asks nobody: the catalogue is built in.</summary>
internal static class ExplainCommand
{
    public static Command Build(CommandRunner run) => new("explain", "Explain what a number or an event means") { Xid(run), IncidentCommand.Build(run) };

    private static Command Xid(CommandRunner run)
    {
        Argument<int> number = new("number") { HelpName = "N", Description = "The XID, as the kernel log has it" };
        Option<string?> policyFile = new("--policy") { Description = "This site's own rules, as the agent's gpu.xid_policy", HelpName = "FILE" };
        Option<int?> recovery = Values.Count("--recovery-action", "What the driver asked for (gpu_recovery_action)", 0, 255);
        Command command = new("xid", "What an NVIDIA XID means, what to do about it, and which sources disagree") { number, policyFile, recovery };
        run.On(command, (context, _) =>
        {
            XidPolicy policy = context.Parse.GetValue(policyFile) is { } file ? Read(file) : XidPolicy.Default;
            XidItem item = XidView.Of(context.Parse.GetRequiredValue(number), policy, context.Parse.GetValue(recovery) ?? -1);
            context.Printer.Single(XidView.Listing, item, () => XidView.Render(item, context.Printer.Width));
            return Task.CompletedTask;
        });
        return command;
    }

    private static XidPolicy Read(string file)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CtlException.Usage("cannot read the policy", e.Message);
        }

        return XidPolicy.TryParse(text, out string problem) ?? throw CtlException.Usage($"cannot use {file}", problem);
    }
}
