using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace NodeAgent.Rpc.Server;

/// <summary>Puts a server into an ASP.NET application.</summary>
public static class RpcServerExtensions
{
    /// <summary>
    /// Serves gRPC here: takes requests whose content type is application/grpc or whose path is one of the server's methods, and passes
    /// all others on. When the host stops, the server drains.
    /// </summary>
    public static IApplicationBuilder UseRpcServer(this IApplicationBuilder app, RpcServer server)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(server);
        server.StartServing();

        // Kestrel waits for open streams until the host's shutdown timeout (30 s) and tells the application nothing: streams end only
        // if somebody ends them.
        app.ApplicationServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.UnsafeRegister(
            static state => ((RpcServer)state!).Drain(), server);
        return app.Use(next => http => server.Owns(http) ? server.HandleAsync(http) : next(http));
    }
}
