namespace NodeAgent.Nvml.Tests;

public sealed class NvmlSetterTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SetPowerLimit_WithinTheConstraints_IsReadBack(bool old)
    {
        using FakeLibrary fake = await FakeLibrary.LoadAsync(old: old);
        fake.Gpus.Set("root", "1");

        Assert.Equal(NvmlReturn.Success, fake.Nvml.SetPowerLimit(fake.Open(), 450_000, out uint actual));
        Assert.Equal(450_000u, actual);
        fake.Nvml.Shutdown();
    }

    [Fact]
    public async Task SetPowerLimit_ThatTheDriverTakesAndDoesNotApply_IsNoSuccess()
    {
        using FakeLibrary fake = await FakeLibrary.LoadAsync();
        fake.Gpus.Set("root", "1");
        fake.Gpus.Set("setters_ignored", "1");

        Assert.Equal(NvmlReturn.InvalidState, fake.Nvml.SetPowerLimit(fake.Open(), 450_000, out uint actual));
        Assert.Equal(700_000u, actual);
        fake.Nvml.Shutdown();
    }

    [Fact]
    public async Task SetPowerLimit_WithoutRootOrOutsideTheConstraints_IsRefused()
    {
        using FakeLibrary fake = await FakeLibrary.LoadAsync();
        nint device = fake.Open();

        fake.Gpus.Set("root", "0");
        Assert.Equal(NvmlReturn.NoPermission, fake.Nvml.SetPowerLimit(device, 450_000, out _));
        fake.Gpus.Set("root", "1");
        Assert.Equal(NvmlReturn.InvalidArgument, fake.Nvml.SetPowerLimit(device, 50_000, out _));
        fake.Nvml.Shutdown();
    }
}
