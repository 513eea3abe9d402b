using NodeAgent.Interop.Tests.Foreign;
using NodeAgent.Interop.Tests.Hosting;

namespace NodeAgent.Interop.Tests.OurServer;

/// <summary>One client process of a stack, and our server as it comes, with gzip, and with TLS that demands a client certificate.</summary>
public sealed class ForeignClientFixture<TStack> : IAsyncLifetime
    where TStack : ForeignStack, new()
{
    private readonly TStack _stack = new();
    private ForeignClient? _client;

    internal string? Missing => _stack.Missing;

    internal InteropHost Plain { get; private set; } = null!;

    internal InteropHost Compressing { get; private set; } = null!;

    internal InteropHost Secure { get; private set; } = null!;

    internal TestCertificates Certificates { get; } = new();

    public async ValueTask InitializeAsync()
    {
        Plain = await InteropHost.StartAsync();
        Compressing = await InteropHost.StartAsync(compress: true);
        Secure = await InteropHost.StartAsync(certificates: Certificates);
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await _client.DisposeAsync();
        }

        await Plain.DisposeAsync();
        await Compressing.DisposeAsync();
        await Secure.DisposeAsync();
        Certificates.Dispose();
    }

    /// <summary>Runs a case in the client process; a process that no longer answers is replaced for the next case.</summary>
    internal async Task RunAsync(ForeignCase @case)
    {
        _client ??= await ForeignClient.StartAsync(_stack);
        try
        {
            await _client.RunAsync(@case);
        }
        catch (InvalidOperationException)
        {
            await _client.DisposeAsync();
            _client = null;
            throw;
        }
    }
}
