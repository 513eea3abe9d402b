using System.CommandLine;
using System.CommandLine.Parsing;
using NodeAgent.Ctl.Commands;

namespace NodeAgent.Ctl;

/// <summary>The program without its process: parses, runs, and turns every failure into one line and an exit code.</summary>
internal static class Nodectl
{
    public static async Task<ExitCode> RunAsync(IReadOnlyList<string> arguments, CtlWorld world, CancellationToken cancellation)
    {
        GlobalOptions globals = new();
        int verbosity = 0;
        try
        {
            RootCommand root = CommandTree.Build(globals, new CommandRunner(world, globals));
            ParseResult parse = root.Parse(arguments);
            verbosity = globals.Verbosity(parse);
            return await InvokeAsync(parse, arguments.Count, world, cancellation).ConfigureAwait(false);
        }
        catch (CtlException failure)
        {
            Print(failure, verbosity, world.Error);
            return failure.Code;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (IOException closed) when (closed.InnerException is System.Net.Sockets.SocketException || IsBrokenPipe(closed))
        {
            // The reader of our output went away (`nodectl series | head`): there is nobody left to tell.
            return ExitCode.Ok;
        }
        catch (Exception bug) when (bug is not OutOfMemoryException)
        {
            string more = verbosity > 1 ? "" : " Run it again with -vv and report what it prints.";
            world.Error.WriteLine($"nodectl: internal error: {bug.GetType().Name}: {bug.Message.ReplaceLineEndings(" ")}.{more}");
            if (verbosity > 1) world.Error.WriteLine(bug);
            return ExitCode.Failure;
        }
    }

    private static async Task<ExitCode> InvokeAsync(ParseResult parse, int argumentCount, CtlWorld world, CancellationToken cancellation)
    {
        InvocationConfiguration invocation = new()
        {
            Output = world.Out,
            Error = world.Error,
            EnableDefaultExceptionHandler = false,
            // Program.cs owns the signals, so that an interrupted stream still prints its last line.
            ProcessTerminationTimeout = null,
        };

        bool helpOrSuggest = parse.Action is { ClearsParseErrors: true };
        if (argumentCount == 0)
        {
            // Somebody looking around: the help, but not success, so that a script with a missing word notices.
            invocation.Output = world.Error;
            await CommandTree.Build(new GlobalOptions(), new CommandRunner(world, new GlobalOptions())).Parse("--help").InvokeAsync(invocation, cancellation).ConfigureAwait(false);
            return ExitCode.Usage;
        }

        if (parse.Errors.Count > 0 && !helpOrSuggest) throw ParseFailure.Explain(parse);
        return (ExitCode)await parse.InvokeAsync(invocation, cancellation).ConfigureAwait(false);
    }

    private static void Print(CtlException failure, int verbosity, TextWriter error)
    {
        error.WriteLine($"nodectl: {Text.Printable.Of(failure.Line)}");
        foreach (string detail in failure.Details) error.WriteLine(detail);
        if (verbosity > 1) error.WriteLine(failure);
    }

    // EPIPE is 32 on Linux; .NET puts the errno into HResult.
    private static bool IsBrokenPipe(IOException failure) => failure.HResult == 32;
}
