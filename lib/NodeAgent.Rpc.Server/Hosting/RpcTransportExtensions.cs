using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using NodeAgent.Rpc.Server.Transport;

namespace NodeAgent.Rpc.Server;

/// <summary>Gives Kestrel the transport that thousands of quiet connections are cheapest on.</summary>
public static class RpcTransportExtensions
{
    /// <summary>
    /// TCP endpoints are served by one thread on epoll(7), where there is one. Elsewhere, and for endpoints of other kinds, Kestrel's own
    /// transport stays, which must be there too; its options hold for both.
    /// </summary>
    public static IWebHostBuilder UseRpcTransport(this IWebHostBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return !OperatingSystem.IsLinux() ? builder : builder.ConfigureServices(services =>
        {
            services.TryAddSingleton(TimeProvider.System);

            // Kestrel asks the one that was added last first.
            services.AddSingleton<IConnectionListenerFactory, EpollTransport>();
        });
    }
}
