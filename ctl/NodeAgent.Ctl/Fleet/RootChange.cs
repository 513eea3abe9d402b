using System.Security.Cryptography.X509Certificates;

namespace NodeAgent.Ctl.Fleet;

/// <summary>Where a change of the root stands, by the folder's files.</summary>
internal enum RootChangeStep
{
    /// <summary>Next: a new root beside the old one; members get both when they renew.</summary>
    Introduce,

    /// <summary>Next: the aggregator's certificate by the new root.</summary>
    Switch,

    /// <summary>Next: the old root goes.</summary>
    Finish,
}

/// <summary>
/// A change of the fleet's root, one step a call, so that at every moment everybody believes everybody: first both roots, then the
/// new one's certificates, then the new one alone. Between the steps members renew, which takes a day.
/// </summary>
internal sealed class RootChange(FleetFolder folder, TimeProvider time)
{
    private readonly CertificateMaker _maker = new(time);

    /// <summary>The step that comes next.</summary>
    public RootChangeStep Next()
    {
        using X509Certificate2? next = folder.LoadNextAuthority();
        if (next is null) return RootChangeStep.Introduce;
        using X509Certificate2 server = folder.LoadServer();
        return IsSignedBy(server, next) ? RootChangeStep.Finish : RootChangeStep.Switch;
    }

    /// <summary>What a step does, in words.</summary>
    public static string Describe(RootChangeStep step) => step switch
    {
        RootChangeStep.Introduce => "1 of 3: makes a new root, puts it beside the old one in ca.crt, and has the issuing CA signed by it. Members get both roots with their next renewal, within a day",
        RootChangeStep.Switch => "2 of 3: has the aggregator's own certificate signed by the new root. Members that do not hold it yet would not believe the aggregator any more",
        _ => "3 of 3: leaves only the new root in ca.crt. Certificates that the old one signed by hand are refused from then on",
    };

    /// <summary>Does the next step in the folder. Which one it was.</summary>
    public RootChangeStep Advance()
    {
        RootChangeStep step = Next();
        switch (step)
        {
            case RootChangeStep.Introduce:
                Introduce();
                break;
            case RootChangeStep.Switch:
                Switch();
                break;
            default:
                Finish();
                break;
        }

        return step;
    }

    private void Introduce()
    {
        using X509Certificate2 present = folder.LoadAuthority();
        string fleet = FleetIssuer.FleetOf(present);
        using X509Certificate2 next = _maker.MakeAuthority(fleet, FleetIssuer.AuthorityValidity);
        using X509Certificate2 issuer = _maker.MakeIssuer(next, fleet, FleetIssuer.IssuerValidity);

        // The marker of this step last: a crash before it leaves a fleet that works and a step that begins again.
        folder.WriteRoots([present, next]);
        folder.WriteIssuer(issuer);
        folder.WriteNextAuthority(next);
    }

    private void Switch()
    {
        using X509Certificate2 next = folder.LoadNextAuthority()!;
        using X509Certificate2 former = folder.LoadServer();
        X509SubjectAlternativeNameExtension names = former.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        string[] all = [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(address => address.ToString())];
        using X509Certificate2 server = _maker.MakeServer(next, FleetIssuer.FleetOf(next), all, FleetIssuer.MemberValidity);
        folder.WriteServer(server);
    }

    private void Finish()
    {
        using X509Certificate2 next = folder.LoadNextAuthority()!;
        folder.KeepAuthorityAs($"ca-until-{time.GetUtcNow():yyyyMMdd}");
        folder.WriteAuthority(next);
        folder.DeleteNextAuthority();
    }

    private static bool IsSignedBy(X509Certificate2 certificate, X509Certificate2 authority)
    {
        X509AuthorityKeyIdentifierExtension? signer = certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().SingleOrDefault();
        X509SubjectKeyIdentifierExtension? key = authority.Extensions.OfType<X509SubjectKeyIdentifierExtension>().SingleOrDefault();
        return signer?.KeyIdentifier is { } wanted && key is not null && wanted.Span.SequenceEqual(key.SubjectKeyIdentifierBytes.Span);
    }
}
