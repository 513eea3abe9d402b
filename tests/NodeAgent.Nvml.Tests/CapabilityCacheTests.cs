namespace NodeAgent.Nvml.Tests;

public sealed class CapabilityCacheTests
{
    private static readonly CapabilityKey Key = new("GPU-1", "570.1", IsMig: false);

    [Theory]
    [InlineData(NvmlReturn.NotSupported)]
    [InlineData(NvmlReturn.FunctionNotFound)]
    [InlineData(NvmlReturn.NoPermission)]
    [InlineData(NvmlReturn.ArgumentVersionMismatch)]
    public void Learn_WhatWillNotChange_IsNotAskedAgain(NvmlReturn answer)
    {
        CapabilityCache cache = new(200);
        cache.Use(Key);

        Assert.False(cache.Learn(130, answer));

        Assert.False(cache.MayHave(130));
        Assert.True(cache.MayHave(129));
        Assert.Equal(1, cache.AbsentCount);
    }

    [Theory]
    [InlineData(NvmlReturn.Timeout)]
    [InlineData(NvmlReturn.GpuIsLost)]
    [InlineData(NvmlReturn.Unknown)]
    [InlineData(NvmlReturn.NotFound)]
    public void Learn_WhatMayPass_IsAskedAgain(NvmlReturn answer)
    {
        CapabilityCache cache = new(8);
        cache.Use(Key);

        Assert.False(cache.Learn(3, answer));

        Assert.True(cache.MayHave(3));
    }

    [Fact]
    public void Use_OfAnotherGpuDriverOrLayout_StartsOver()
    {
        foreach (CapabilityKey other in new[] { Key with { Uuid = "GPU-2" }, Key with { Driver = "580.1" }, Key with { IsMig = true } })
        {
            CapabilityCache cache = new(8);
            cache.Use(Key);
            cache.Learn(3, NvmlReturn.NotSupported);

            cache.Use(Key);
            Assert.False(cache.MayHave(3));
            cache.Use(other);
            Assert.True(cache.MayHave(3));
        }
    }
}
