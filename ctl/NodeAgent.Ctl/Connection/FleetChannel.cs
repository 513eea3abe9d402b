using System.Security.Cryptography.X509Certificates;
using NodeAgent.Rpc;

namespace NodeAgent.Ctl.Connection;

/// <summary>Opens the real channel.</summary>
internal static class FleetChannel
{
    // A series listing of a large fleet comes in parts of 500; one part stays far below this.
    private const int MaxAnswerBytes = 64 * 1024 * 1024;

    /// <exception cref="CtlException">An identity file that cannot be used.</exception>
    public static IFleet Open(ConnectionSettings settings, TimeProvider time)
    {
        RpcChannelOptions options = new()
        {
            MaxReceiveMessageSize = MaxAnswerBytes,
            ConnectTimeout = settings.Timeout,
            UserAgent = $"nodectl/{Commands.VersionCommand.Version}",
            TimeProvider = time,
            // A live view must notice within seconds that the other side is gone.
            KeepAlivePingDelay = TimeSpan.FromSeconds(5),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
            Tls = settings.Server.Plaintext ? null : Tls(settings),
        };
        RpcChannel channel = RpcChannel.ForAddress(settings.Server.Uri, options);
        return new RpcFleet(channel.CreateCallInvoker(), settings, time, channel);
    }

    private static Func<System.Net.Security.SslClientAuthenticationOptions> Tls(ConnectionSettings settings)
    {
        X509Certificate2Collection? authorities = IdentityFiles.LoadAuthorities(settings.CaPath);
        X509Certificate2? identity = IdentityFiles.LoadIdentity(settings.CertificatePath, settings.KeyPath);
        X509Certificate2Collection between = IdentityFiles.LoadBetween(settings.CertificatePath);
        return () => TlsOptions.Client(settings.Server.Host, authorities, identity, between);
    }
}
