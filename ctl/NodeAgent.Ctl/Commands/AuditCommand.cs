using System.CommandLine;
using System.Runtime.CompilerServices;
using NodeAgent.Commands;
using NodeAgent.Commands.Audit;
using NodeAgent.Commands.Envelope;
using NodeAgent.Commands.Local;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl audit tail|verify|export|heads</c>: the aggregator's chain, or with <c>--socket</c> this node's.</summary>
internal sealed class AuditCommand
{
    private readonly Option<string?> _socket = new("--socket") { Description = "This node's actuator instead of the aggregator: its local socket", HelpName = "file", Arity = ArgumentArity.ZeroOrOne };

    public static Command Build(CommandRunner run)
    {
        AuditCommand audit = new();
        return new Command("audit", "What was commanded and what came of it, in a chain of hashes") { audit.Tail(run), audit.Verify(run), audit.Export(run), Heads(run) };
    }

    private Command Tail(CommandRunner run)
    {
        Option<int?> lines = Values.Count("--lines", "How many (default: 20)", 1, 100_000);
        Command command = new("tail", "Show the last records") { _socket, lines };
        run.On(command, async (context, cancellation) =>
        {
            int most = context.Parse.GetValue(lines) ?? 20;
            (ulong end, _) = await EndAsync(context, cancellation).ConfigureAwait(false);
            List<AuditItem> items = [];
            await foreach (AuditLinkRecord record in ReadAsync(context, end > (ulong)most ? end - (ulong)most + 1 : 1, cancellation).ConfigureAwait(false)) items.Add(AuditItem.From(record));
            context.Printer.List(AuditListing.Records, items);
        });
        return command;
    }

    private Command Verify(CommandRunner run)
    {
        Option<string[]> heads = new("--head") { Description = "A head that somebody held, like 1042:9f86...; may be repeated", HelpName = "head", AllowMultipleArgumentsPerToken = true };
        Option<string?> file = new("--file") { Description = "An exported chain instead", HelpName = "file" };
        Command command = new("verify", "Check that no record was altered, put in or taken out") { _socket, heads, file };
        run.On(command, async (context, cancellation) =>
        {
            AuditHead[] held = [.. (context.Parse.GetValue(heads) ?? []).Select(text => AuditHead.TryParse(text, out AuditHead? head)
                ? head
                : throw CtlException.Usage("cannot verify", $"--head: '{text}' is no head", "Write INDEX:HASH as `nodectl audit heads` does."))];
            AuditReport report = context.Parse.GetValue(file) is { } path
                ? VerifyFile(path, held)
                : await VerifyChainAsync(context, held, cancellation).ConfigureAwait(false);
            foreach (AuditFinding finding in report.Findings) context.World.Out.WriteLine($"{finding}");
            if (report.NotListed > 0) context.World.Out.WriteLine($"and {report.NotListed} more");
            context.World.Out.WriteLine($"{report.Records} records from {report.FirstIndex}, head {report.Head}: {(report.IsWhole ? "whole" : "NOT whole")}");
            if (report.IsWhole && held.Length == 0) context.Warn("records cut off the end are found only with a head that somebody else held: --head");
            return report.IsWhole ? ExitCode.Ok : ExitCode.Failure;
        });
        return command;
    }

    private Command Export(CommandRunner run)
    {
        Command command = new("export", "Write the whole chain, a JSON object a line; docs/formats/audit.md says how to check it") { _socket };
        run.On(command, async (context, cancellation) =>
        {
            (_, Guid owner) = await EndAsync(context, cancellation).ConfigureAwait(false);
            context.World.Out.Write($"{{\"owner\":\"{owner}\"}}\n");
            await foreach (AuditLinkRecord record in ReadAsync(context, 1, cancellation).ConfigureAwait(false)) AuditRecords.Write(context.World.Out, record);
        });
        return command;
    }

    private static Command Heads(CommandRunner run)
    {
        Command command = new("heads", "Where each node's chain ended when it was last heard of, and the aggregator's own");
        run.On(command, async (context, cancellation) =>
        {
            ListHeadsResponse answer = await context.Fleet.ListHeadsAsync(cancellation).ConfigureAwait(false);
            List<HeadItem> items = [HeadItem.From("(aggregator)", answer.Owner, answer.Own, 0), .. answer.Heads.Select(head => HeadItem.From(head.Node, head.AgentId, head.Head, head.SeenUnixMs))];
            context.Printer.List(AuditListing.Heads, items);
        });
        return command;
    }

    private static AuditReport VerifyFile(string path, AuditHead[] held)
    {
        try
        {
            using StreamReader reader = new(path);
            string first = reader.ReadLine() ?? "";
            Guid owner = Guid.TryParse(first.Split('"').ElementAtOrDefault(3), out Guid found)
                ? found
                : throw new CtlException(ExitCode.Failure, "cannot verify", $"{path} does not begin with whose chain it is");
            return AuditExport.Verify(reader, owner, held);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CtlException(ExitCode.Failure, "cannot verify", e.Message, cause: e);
        }
    }

    private async Task<AuditReport> VerifyChainAsync(CommandContext context, AuditHead[] held, CancellationToken cancellation)
    {
        (_, Guid owner) = await EndAsync(context, cancellation).ConfigureAwait(false);
        AuditWalk walk = new(owner, held);
        await foreach (AuditLinkRecord record in ReadAsync(context, 1, cancellation).ConfigureAwait(false)) AuditRecords.AddTo(walk, record);
        return walk.Finish();
    }

    private async Task<(ulong End, Guid Owner)> EndAsync(CommandContext context, CancellationToken cancellation)
    {
        if (SocketOf(context) is { } socket)
        {
            AuditPage page = Ask(socket, 1);
            return (page.Head.Index, CommandEnvelope.ToGuid(page.Owner));
        }

        // Whose chain an aggregator's is, is known here: it need not be believed.
        ListHeadsResponse heads = await context.Fleet.ListHeadsAsync(cancellation).ConfigureAwait(false);
        return (heads.Own.Index, CommandIdentity.Aggregator);
    }

    private async IAsyncEnumerable<AuditLinkRecord> ReadAsync(CommandContext context, ulong from, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (SocketOf(context) is not { } socket)
        {
            await foreach (AuditLinkRecord record in context.Fleet.ReadAuditAsync(new ReadAuditRequest { FromIndex = from }, cancellation).ConfigureAwait(false)) yield return record;
            yield break;
        }

        for (AuditPage page = Ask(socket, from); page.Records.Count > 0; page = Ask(socket, page.Records[^1].Index + 1))
        {
            foreach (AuditLinkRecord record in page.Records) yield return record;
        }
    }

    private string? SocketOf(CommandContext context) =>
        context.Parse.GetResult(_socket) is null ? null : context.Parse.GetValue(_socket) ?? ActuatorClient.DefaultSocket;

    private static AuditPage Ask(string socket, ulong from)
    {
        try
        {
            using ActuatorClient client = ActuatorClient.Connect(socket, TimeSpan.FromSeconds(30));
            return client.Audit(from);
        }
        catch (IOException e)
        {
            throw new CtlException(ExitCode.Unavailable, "cannot read this node's audit", Printable.Of(e.Message), cause: e);
        }
    }
}
