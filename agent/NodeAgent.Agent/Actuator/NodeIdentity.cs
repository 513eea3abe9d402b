using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Agent.Configuration;
using NodeAgent.Agent.Identity;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Agent.Actuator;

/// <summary>What this node is called, for the actuator: as its certificate says, of which only the public half is read.</summary>
internal static class NodeIdentity
{
    /// <summary>Null: there is no certificate, or it is nobody's.</summary>
    internal static FleetIdentity? TryRead(AgentOptions options, out string problem)
    {
        problem = "";
        if (options.Uplink.PlaintextNode is { } plain) return new FleetIdentity("local", FleetRole.Agent, plain);

        // Enrolled as the agent is; the service manager's state directory is here another unit's.
        string path = options.Uplink.CertificateFile ?? IdentityFiles.PathIn(options.Identity.ResolveDirectory(stateDirectory: null));
        try
        {
            using X509Certificate2 certificate = X509Certificate2.CreateFromPem(File.ReadAllText(path));
            if (FleetCertificate.ReadIdentity(certificate) is { Role: FleetRole.Agent } identity) return identity;
            problem = $"{path} is not an agent's certificate";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            problem = $"without a certificate this node has no name for commands: {path}: {e.Message}";
        }

        return null;
    }
}
