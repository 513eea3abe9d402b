using System.Threading.Channels;

namespace NodeAgent.Ctl.Tests.Harness;

/// <summary>A terminal of a given size whose keys a test presses.</summary>
internal sealed class ScriptedTerminal : ITerminal
{
    private readonly Channel<ConsoleKeyInfo> _keys = Channel.CreateUnbounded<ConsoleKeyInfo>();

    public bool OutputIsTerminal { get; set; }

    public bool InputIsTerminal { get; set; }

    public int Width { get; set; } = 80;

    public int Height { get; set; } = 24;

    public void Press(ConsoleKey key, char character = '\0', bool control = false) =>
        Assert.True(_keys.Writer.TryWrite(new ConsoleKeyInfo(character, key, shift: false, alt: false, control)));

    public ValueTask<ConsoleKeyInfo> ReadKeyAsync(CancellationToken cancellation) => _keys.Reader.ReadAsync(cancellation);
}
