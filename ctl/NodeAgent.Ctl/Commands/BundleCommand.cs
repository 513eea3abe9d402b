using System.CommandLine;
using System.Globalization;
using NodeAgent.Ctl.Bundle;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl bundle</c>: one file for whoever is asked for help, without secrets.</summary>
internal static class BundleCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string?> file = new("file") { HelpName = "FILE", Description = "Where to write (default: nodeagent-bundle-TIME.tar.gz here)", Arity = ArgumentArity.ZeroOrOne };
        Command command = new("bundle", "Collect what support asks for into one file, without secrets") { file };
        run.On(command, async (context, cancellation) =>
        {
            string name = $"nodeagent-bundle-{context.World.Time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}";
            string path = Path.GetFullPath(context.Parse.GetValue(file) ?? name + ".tar.gz");
            IReadOnlyList<BundleItem> items;
            await using (FileStream output = Open(path))
            {
                items = await new SupportBundle(context.World.Time).WriteAsync(name, new BundleParts(context).All(), output, cancellation).ConfigureAwait(false);
            }

            context.Printer.List(BundleItem.Listing, items);
            if (context.Printer.ForPeople)
            {
                context.Warn($"{path}: {items.Sum(item => item.Redactions)} secrets were taken out; read it before you send it");
            }
        });
        return command;
    }

    // For its owner alone, and never over something that exists.
    private static FileStream Open(string path)
    {
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            return new FileStream(path, options);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw CtlException.Usage($"cannot write {path}", refused.Message, "Name another file.");
        }
    }
}
