namespace NodeAgent.Interop.Tests.Hosting;

/// <summary>The bytes of large_unary's messages, and what they tell about compression.</summary>
internal static class WireSize
{
    internal const int LargeRequest = 271_828;
    internal const int LargeResponse = 314_159;

    /// <summary>Zeros shrink a thousandfold with gzip; headers and window updates are a few KiB. Nothing lies between the two.</summary>
    internal static void Check(bool compressed, int messageBytes, long wireBytes)
    {
        if (compressed)
        {
            Assert.InRange(wireBytes, 1, messageBytes / 10);
        }
        else
        {
            Assert.InRange(wireBytes, messageBytes, messageBytes * 2);
        }
    }
}
