using System.Threading.Channels;

namespace NodeAgent.Ctl;

/// <summary>The process's console.</summary>
internal sealed class SystemTerminal : ITerminal
{
    // 80 x 24 since the VT100: what a terminal that does not tell is taken for.
    private const int DefaultWidth = 80;
    private const int DefaultHeight = 24;

    private Channel<ConsoleKeyInfo>? _keys;

    public bool OutputIsTerminal { get; } = !Console.IsOutputRedirected;

    public bool InputIsTerminal { get; } = !Console.IsInputRedirected;

    public int Width => Ask(static () => Console.WindowWidth, DefaultWidth);

    public int Height => Ask(static () => Console.WindowHeight, DefaultHeight);

    public ValueTask<ConsoleKeyInfo> ReadKeyAsync(CancellationToken cancellation)
    {
        _keys ??= StartReader();
        return _keys.Reader.ReadAsync(cancellation);
    }

    // Console.ReadKey cannot be cancelled, so it waits on a thread of its own that dies with the process. Sixteen keys is more
    // than anyone types between two frames; the oldest go first, because the newest are what the person wants now.
    private static Channel<ConsoleKeyInfo> StartReader()
    {
        Channel<ConsoleKeyInfo> keys = Channel.CreateBounded<ConsoleKeyInfo>(
            new BoundedChannelOptions(16) { FullMode = BoundedChannelFullMode.DropOldest, SingleWriter = true });
        Thread reader = new(() => Read(keys.Writer)) { IsBackground = true, Name = "keys" };
        reader.Start();
        return keys;
    }

    private static void Read(ChannelWriter<ConsoleKeyInfo> keys)
    {
        try
        {
            while (keys.TryWrite(Console.ReadKey(intercept: true)))
            {
            }
        }
        catch (Exception gone) when (gone is InvalidOperationException or IOException)
        {
            keys.TryComplete(gone);
        }
    }

    private static int Ask(Func<int> read, int otherwise)
    {
        try
        {
            return read() is > 0 and int size ? size : otherwise;
        }
        catch (Exception unknown) when (unknown is IOException or PlatformNotSupportedException)
        {
            return otherwise;
        }
    }
}
