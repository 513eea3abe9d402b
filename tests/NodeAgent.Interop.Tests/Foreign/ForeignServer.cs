using System.Text.Json;

namespace NodeAgent.Interop.Tests.Foreign;

/// <summary>A running test service of a foreign stack.</summary>
internal sealed class ForeignServer : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly ForeignProcess _process;

    private ForeignServer(ForeignProcess process, int port) => (_process, Port) = (process, port);

    internal int Port { get; }

    internal static async Task<ForeignServer> StartAsync(ForeignStack stack, bool gzip = false, PemFiles? tls = null)
    {
        List<string> arguments = gzip ? ["--gzip"] : [];
        if (tls is not null)
        {
            arguments.AddRange(["--tls", tls.Ca, tls.Certificate!, tls.Key!]);
        }

        ForeignProcess process = new(stack.ServerCommand, arguments);
        JsonElement listening = await process.ReadAsync(Bound);
        return new ForeignServer(process, listening.GetProperty("port").GetInt32());
    }

    /// <summary>Returns once the server has seen the end of the call with this id.</summary>
    internal async Task WaitForEndOfCallAsync(string callId)
    {
        while ((await _process.ReadAsync(Bound)).GetProperty("call_id").GetString() != callId)
        {
        }
    }

    internal void Kill() => _process.Kill();

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
