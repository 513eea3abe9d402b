using System.CommandLine;
using NodeAgent.Ctl;
using NodeAgent.Ctl.Commands;

namespace NodeAgent.Repo.Tests.Pages;

/// <summary>nodectl's command line without a world behind it: to be described, not run.</summary>
internal static class NodectlTree
{
    public static RootCommand Build()
    {
        GlobalOptions globals = new();
        CtlWorld nowhere = new()
        {
            Out = TextWriter.Null,
            Error = TextWriter.Null,
            Terminal = null!,
            Time = TimeProvider.System,
            Environment = _ => null,
            Home = "",
            HostName = "",
            Connect = _ => throw new InvalidOperationException("BUG: a description does not connect"),
            Probe = null!,
        };
        return CommandTree.Build(globals, new CommandRunner(nowhere, globals));
    }
}
