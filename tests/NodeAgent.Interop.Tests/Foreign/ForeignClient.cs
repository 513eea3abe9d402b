using System.Text.Json;

namespace NodeAgent.Interop.Tests.Foreign;

/// <summary>What a foreign client is asked to do.</summary>
/// <param name="Name">One of the cases that client.py and client.js know.</param>
/// <param name="Target">HOST:PORT.</param>
internal sealed record ForeignCase(string Name, string Target)
{
    internal object? Parameters { get; init; }

    internal bool Gzip { get; init; }

    internal PemFiles? Tls { get; init; }

    /// <summary>Called when the case reports how far it is.</summary>
    internal Action<string>? OnProgress { get; init; }
}

/// <summary>One running client of a foreign stack; runs cases one after another, each on a channel of its own.</summary>
internal sealed class ForeignClient : IAsyncDisposable
{
    private const int CaseSeconds = 60;

    // The client's own bound is the one with the better message; this one is for a client that hangs.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(CaseSeconds + 15);

    private readonly ForeignProcess _process;
    private int _id;

    private ForeignClient(ForeignProcess process) => _process = process;

    internal static async Task<ForeignClient> StartAsync(ForeignStack stack)
    {
        ForeignProcess process = new(stack.ClientCommand, []);
        await process.ReadAsync(Silence);
        return new ForeignClient(process);
    }

    /// <summary>Runs a case; fails the test with the client's words when it does not pass.</summary>
    internal async Task RunAsync(ForeignCase @case)
    {
        int id = ++_id;
        await _process.WriteAsync(new
        {
            id,
            @case = @case.Name,
            target = @case.Target,
            timeout_s = CaseSeconds,
            gzip = @case.Gzip,
            tls = @case.Tls is { } tls ? new { ca = tls.Ca, cert = tls.Certificate, key = tls.Key } : null,
            @params = @case.Parameters ?? new { },
        });
        while (true)
        {
            JsonElement answer = await _process.ReadAsync(Silence);
            if (answer.GetProperty("id").GetInt32() != id)
            {
                continue; // The end of a case that an earlier test gave up on.
            }

            if (answer.TryGetProperty("progress", out JsonElement progress))
            {
                @case.OnProgress?.Invoke(progress.GetString()!);
                continue;
            }

            Assert.True(answer.GetProperty("ok").GetBoolean(), $"{@case.Name}: {answer.GetProperty("detail").GetString()}");
            return;
        }
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
