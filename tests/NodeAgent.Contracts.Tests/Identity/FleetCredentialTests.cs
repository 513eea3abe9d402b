using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Contracts.Tests.Identity;

public sealed class FleetCredentialTests
{
    [Theory]
    [InlineData(1u)]
    [InlineData(127u)]
    [InlineData(128u)]
    [InlineData(uint.MaxValue)]
    public void TryRead_WhatWasPutIn_ComesBack(uint generation)
    {
        FleetCredential credential = new(Guid.NewGuid(), generation);
        using X509Certificate2 certificate = With(credential.ToExtension());
        Assert.True(FleetCredential.TryRead(certificate, out FleetCredential? read));
        Assert.Equal(credential, read);
    }

    [Fact]
    public void TryRead_NoneTwoOrMalformed_IsNone()
    {
        X509Extension good = new FleetCredential(Guid.NewGuid(), 7).ToExtension();
        byte[] data = good.RawData;
        using X509Certificate2 none = With();
        Assert.False(FleetCredential.TryRead(none, out _));
        byte[] zero = [.. data[..^1], 0]; // generation 0: of no enrolment
        byte[] negative = [.. data[..^1], 0x80];
        foreach (byte[] bad in new byte[][] { [], data[..^1], [.. data, 0], zero, negative, [0x30, 0x80, .. data[2..], 0, 0], [0x30, 0x05, 0x04, 0x00, 0x02, 0x01, 0x07] })
        {
            using X509Certificate2 certificate = With(new X509Extension(new Oid(good.Oid!.Value!), bad, false));
            Assert.False(FleetCredential.TryRead(certificate, out _), Convert.ToHexString(bad));
        }
    }

    private static X509Certificate2 With(params X509Extension[] extensions)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=x", key, HashAlgorithmName.SHA256);
        foreach (X509Extension extension in extensions)
        {
            request.CertificateExtensions.Add(extension);
        }

        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(90));
    }
}
