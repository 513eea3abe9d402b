using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Aggregator.Configuration;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc.Security;

namespace NodeAgent.Aggregator.Identity;

/// <summary>The certificates that the aggregator stands on, as its files say at one time. Immutable.</summary>
internal sealed class FleetTrust
{
    private const string OrganizationName = "2.5.4.10"; // id-at-organizationName, RFC 5280

    private FleetTrust(X509Certificate2Collection roots, X509Certificate2 server, X509Certificate2Collection between)
    {
        Roots = roots;
        Server = server;
        Between = between;
        Bundle = FleetAuthority.Bundle(roots);
        Fleet = server.SubjectName.EnumerateRelativeDistinguishedNames()
            .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == OrganizationName)
            .Select(part => part.GetSingleElementValue()).FirstOrDefault() ?? "";
        ServerContext = SslStreamCertificateContext.Create(server, between, offline: true);
    }

    /// <summary>All that is believed of clients, and given to them.</summary>
    internal X509Certificate2Collection Roots { get; }

    /// <summary>As <see cref="FleetAuthority.Bundle"/>.</summary>
    internal byte[] Bundle { get; }

    /// <summary>The aggregator's own, with its key.</summary>
    internal X509Certificate2 Server { get; }

    internal SslStreamCertificateContext ServerContext { get; }

    /// <summary>Certificates that may stand between a root and a leaf.</summary>
    internal X509Certificate2Collection Between { get; }

    /// <summary>The fleet's name, from the aggregator's own certificate; empty: it does not say, and any is taken.</summary>
    internal string Fleet { get; }

    /// <summary>Null: nobody can be enrolled or renewed here.</summary>
    internal CertificateIssuer? Issuer { get; private init; }

    /// <summary>Reads the files. False: <paramref name="error"/> names the file and what is wrong with it.</summary>
    internal static bool TryLoad(ListenSettings listen, IdentitySettings identity, TimeProvider time, [NotNullWhen(true)] out FleetTrust? trust, out string error)
    {
        trust = null;
        if (MutualTls.TryLoadAuthorities(listen.CaFile!, out error) is not { } roots
            || MutualTls.TryLoadIdentity(listen.CertificateFile!, listen.KeyFile!, out error) is not { } server)
        {
            return false;
        }

        X509Certificate2Collection between = Rest(listen.CertificateFile!);
        if (identity.IssuerCertificateFile is not { } issuerFile)
        {
            trust = new FleetTrust(roots, server, between);
            return true;
        }

        if (MutualTls.TryLoadIdentity(issuerFile, identity.IssuerKeyFile!, out error) is not { } issuer)
        {
            return false;
        }

        between.Add(X509CertificateLoader.LoadCertificate(issuer.RawData));
        between.AddRange(Rest(issuerFile));
        error = ProblemOf(issuer, roots, between, time) is { Length: > 0 } problem ? $"{issuerFile}: {problem}" : "";
        if (error.Length > 0)
        {
            return false;
        }

        trust = new FleetTrust(roots, server, between);
        trust = new FleetTrust(roots, server, between) { Issuer = new CertificateIssuer(issuer, trust.Fleet, identity.CertificateLife, time) };
        error = trust.Fleet.Length == 0 ? $"{listen.CertificateFile}: it does not name its fleet (O=); `nodectl fleet init` makes one that does" : "";
        return error.Length == 0;
    }

    private static string ProblemOf(X509Certificate2 issuer, X509Certificate2Collection roots, X509Certificate2Collection between, TimeProvider time)
    {
        using ECDsa? key = issuer.GetECDsaPrivateKey();
        return key is null ? "its key must be ECDSA"
            : !issuer.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraint => constraint.CertificateAuthority) ? "it is not a CA's certificate"
            : !FleetAuthority.Trusts(issuer, roots, between, FleetAuthority.ClientUse, AsOf(issuer, time), out string problem) ? $"the fleet's roots do not stand behind it ({problem})"
            : "";
    }

    // One that has ended is no reason not to serve: nothing is issued, and the log says why.
    private static DateTimeOffset AsOf(X509Certificate2 issuer, TimeProvider time) =>
        time.GetUtcNow() is var now && now < new DateTimeOffset(issuer.NotAfter) ? now : new DateTimeOffset(issuer.NotAfter).AddSeconds(-1);

    // What a PEM file has behind its first certificate. It was read a moment ago; if it is gone now there is nothing more in it.
    private static X509Certificate2Collection Rest(string file)
    {
        X509Certificate2Collection all = MutualTls.TryLoadAuthorities(file, out _) ?? [];
        return [.. all.Skip(1)];
    }
}

/// <summary>The present trust. Read by every handshake; replaced as a whole.</summary>
internal sealed class FleetTrustHolder(FleetTrust first, Func<(FleetTrust? Trust, string Error)> load)
{
    private volatile FleetTrust _current = first;

    internal FleetTrust Current => _current;

    /// <summary>Reads the files that the settings name. True with no holder: without TLS there is nothing to load.</summary>
    internal static bool TryLoad(ListenSettings listen, IdentitySettings identity, TimeProvider time, out FleetTrustHolder? holder, out string problem)
    {
        (holder, problem) = (null, "");
        if (listen.CaFile is null)
        {
            return true;
        }

        (FleetTrust? trust, problem) = Load();
        holder = trust is null ? null : new FleetTrustHolder(trust, Load);
        return trust is not null;

        (FleetTrust? Trust, string Error) Load() => FleetTrust.TryLoad(listen, identity, time, out FleetTrust? loaded, out string error) ? (loaded, "") : (null, error);
    }

    /// <summary>From the files as they are now, without any effect.</summary>
    internal (FleetTrust? Trust, string Error) LoadAgain() => load();

    internal void Use(FleetTrust trust) => _current = trust;
}
