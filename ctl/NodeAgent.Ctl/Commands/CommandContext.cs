using System.CommandLine;
using NodeAgent.Ctl.Connection;
using NodeAgent.Ctl.Output;

namespace NodeAgent.Ctl.Commands;

/// <summary>What a running command has at hand. The configuration is read and the channel opened only when a command asks for them.</summary>
internal sealed class CommandContext(CtlWorld world, GlobalOptions globals, ParseResult parse) : IAsyncDisposable
{
    private ConnectionSettings? _settings;
    private IFleet? _fleet;

    public CtlWorld World => world;

    public ParseResult Parse => parse;

    public Printer Printer { get; } = globals.Printer(parse, world);

    public int Verbosity { get; } = globals.Verbosity(parse);

    public ConnectionFlags Flags => globals.Connection(parse);

    public ConnectionSettings Settings => _settings ??= ConnectionResolver.Resolve(Flags, world);

    public IFleet Fleet => _fleet ??= Open();

    /// <summary>A line on standard error that only -v shows.</summary>
    public void Note(string text)
    {
        if (Verbosity > 0) world.Error.WriteLine($"nodectl: {text}");
    }

    /// <summary>A line on standard error that everyone sees.</summary>
    public void Warn(string text) => world.Error.WriteLine($"nodectl: {text}");

    public ValueTask DisposeAsync() => _fleet?.DisposeAsync() ?? ValueTask.CompletedTask;

    private IFleet Open()
    {
        ConnectionSettings settings = Settings;
        Note($"server {settings.Server.Uri} (from {settings.ServerSource}), identity {settings.CertificatePath ?? "none"}, "
            + $"configuration {settings.ConfigPath}{(settings.ConfigFound ? "" : " (absent)")}");
        return world.Connect(settings);
    }
}
