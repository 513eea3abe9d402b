using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Aggregator.Identity;

namespace NodeAgent.Aggregator.Tests.Identity;

public sealed class SigningRequestTests
{
    [Fact]
    public void TryRead_HonestRequest_IsItsKeyWhateverElseItAsksFor()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=root, O=everything", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        SubjectAlternativeNameBuilder names = new();
        names.AddUri(new Uri("nodeagent://lab/admin/me"));
        request.CertificateExtensions.Add(names.Build());
        Assert.True(SigningRequest.TryRead(request.CreateSigningRequest(), out byte[]? read, out string problem), problem);
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), read);
    }

    [Fact]
    public void TryRead_OtherKeysAndHashes_AreRefusedWithTheReason()
    {
        using ECDsa p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using RSA rsa = RSA.Create(2048);
        using ECDsa p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        const string Key = "the key must be ECDSA P-256, as an uncompressed point";
        Assert.Equal(Key, Problem(new CertificateRequest("CN=x", p384, HashAlgorithmName.SHA256).CreateSigningRequest()));
        Assert.Equal(Key, Problem(new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequest()));
        Assert.Equal("the request must be signed with ECDSA and SHA-256", Problem(new CertificateRequest("CN=x", p256, HashAlgorithmName.SHA384).CreateSigningRequest()));
    }

    [Fact]
    public void TryRead_SignedWithAnotherKey_IsRefused()
    {
        using ECDsa own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using ECDsa victim = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(new X500DistinguishedName("CN=x"), new PublicKey(victim), HashAlgorithmName.SHA256);
        Assert.Equal("the request is not signed with the key in it", Problem(request.CreateSigningRequest(X509SignatureGenerator.CreateForECDsa(own))));
    }

    [Fact]
    public void TryRead_EmptyHugeOrTorn_IsRefused()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] good = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSigningRequest();
        Assert.NotEqual("", Problem([]));
        Assert.Contains("more than", Problem(new byte[SigningRequest.MaxBytes + 1]), StringComparison.Ordinal);
        Assert.All(Enumerable.Range(0, good.Length), length => Assert.NotEqual("", Problem(good[..length])));
        Assert.NotEqual("", Problem([.. good, 0]));
    }

    // The binding that counts: whatever bytes come, a key is accepted only when those bytes carry a signature by it. Nobody who has not the
    // key can make such bytes, so what is accepted must hold the one key that signed here.
    [Fact]
    public void TryRead_HundredThousandMutations_NoneIsBoundToAnotherKeyAndNoneThrows()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] good = new CertificateRequest("CN=nodeagent", key, HashAlgorithmName.SHA256).CreateSigningRequest();
        byte[] foreign = new CertificateRequest("CN=nodeagent", other, HashAlgorithmName.SHA256).CreateSigningRequest();
        byte[] own = key.ExportSubjectPublicKeyInfo();
#pragma warning disable CA5394 // Not for secrets: the seed is what counts.
        Random random = new(20261121);
        int accepted = 0;
        for (int i = 0; i < 100_000; i++)
        {
            byte[] mutated = (byte[])good.Clone();
            switch (random.Next(5))
            {
                case 0:
                    mutated[random.Next(mutated.Length)] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
                    mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
                    break;
                case 2:
                    int at = random.Next(mutated.Length);
                    mutated = [.. mutated[..at], .. mutated[(at + Math.Min(random.Next(1, 9), mutated.Length - at))..]];
                    break;
                case 3:
                    int from = random.Next(Math.Min(good.Length, foreign.Length) - 8);
                    foreign.AsSpan(from, random.Next(1, 8)).CopyTo(mutated.AsSpan(from));
                    break;
                default:
                    int inside = random.Next(mutated.Length);
                    byte[] noise = new byte[random.Next(1, 16)];
                    random.NextBytes(noise);
                    mutated = [.. mutated[..inside], .. noise, .. mutated[inside..]];
                    break;
            }

            if (SigningRequest.TryRead(mutated, out byte[]? read, out string problem))
            {
                accepted++;
                Assert.True(read.AsSpan().SequenceEqual(own), $"mutation {i} was taken for another key");
                Assert.True(mutated.AsSpan().SequenceEqual(good), $"mutation {i} was accepted: {Convert.ToHexString(mutated)}"); // bytes that were replaced by themselves
            }
            else
            {
                Assert.NotEqual("", problem);
            }
        }
#pragma warning restore CA5394
        Assert.InRange(accepted, 1, 20_000); // the test does reach the end of the road
    }

    private static string Problem(byte[] der) => SigningRequest.TryRead(der, out _, out string problem) ? "" : problem;
}
