using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Tests.Text;

public sealed class HumanTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(512, "512 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1.0 KiB")]
    [InlineData(1_288_490_189, "1.2 GiB")]
    [InlineData(107_374_182_400, "100 GiB")]
    [InlineData(1_073_741_823_999, "1.0 TiB")]
    [InlineData(-2_048, "-2.0 KiB")]
    [InlineData(-0.2, "0 B")]
    [InlineData(double.NaN, "-")]
    public void Bytes_OfAnySize_HaveAtMostThreeDigitsAndAUnit(double value, string expected) => Assert.Equal(expected, Human.Bytes(value));

    [Theory]
    [InlineData(950, "950")]
    [InlineData(25_000, "24.4K")]
    [InlineData(4.1e9, "3.8G")]
    public void CompactBytes_ForANarrowColumn_KeepOnlyTheLetter(double value, string expected) => Assert.Equal(expected, Human.CompactBytes(value));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(7, "7")]
    [InlineData(9_999, "9999")]
    [InlineData(12_345, "12.3k")]
    [InlineData(4_500_000, "4.5M")]
    [InlineData(999_999, "1M")]
    [InlineData(0.012, "0.012")]
    [InlineData(3.14159, "3.14")]
    [InlineData(-41.54, "-41.5")]
    [InlineData(0.00000123, "1.23E-6")]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NaN, "-")]
    public void Count_OfAnySize_IsShort(double value, string expected) => Assert.Equal(expected, Human.Count(value));

    [Theory]
    [InlineData(0.45, "45 %")]
    [InlineData(0.045, "4.5 %")]
    [InlineData(0.0996, "10 %")]
    [InlineData(1, "100 %")]
    [InlineData(0, "0 %")]
    [InlineData(-0.0001, "0.0 %")]
    [InlineData(3.84, "384 %")]
    public void Percent_BelowTen_HasOneDecimal(double ratio, string expected) => Assert.Equal(expected, Human.Percent(ratio));

    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(0.00034, "340 µs")]
    [InlineData(0.012, "12 ms")]
    [InlineData(1.5, "1.5 s")]
    [InlineData(-1.84, "-1.84 s")]
    [InlineData(125, "2m5s")]
    [InlineData(11_520, "3h12m")]
    [InlineData(352_800, "4d2h")]
    public void Seconds_OfAnyLength_ReadAsAPersonWouldSayThem(double seconds, string expected) => Assert.Equal(expected, Human.Seconds(seconds));

    [Theory]
    [InlineData(61.25, "celsius", "61.3 °C")]
    [InlineData(3_707_000_000, "hertz", "3.71 GHz")]
    [InlineData(412, "watts", "412 W")]
    [InlineData(0.85, "volts", "850 mV")]
    [InlineData(2400, "rpm", "2400 rpm")]
    [InlineData(0.25, "ratio", "25 %")]
    [InlineData(3_500_000, "bytes_per_second", "3.3 MiB/s")]
    [InlineData(3_200, "per_second", "3200/s")]
    [InlineData(0.5, "seconds_per_second", "50 %")]
    [InlineData(10_000_000_000, "bits_per_second", "10 Gbit/s")]
    [InlineData(12, "packets_per_second", "12 packets/s")]
    public void Value_InEveryUnitOfTheCatalogue_CarriesIt(double value, string unit, string expected) => Assert.Equal(expected, Human.Value(value, unit));

    [Fact]
    public void Value_OfATimeMetric_IsAMoment() =>
        Assert.Equal("2026-11-16 07:20:00", Human.Value(1_794_813_600, "seconds", "node_boot_time_seconds"));

    [Fact]
    public void Age_OfAClockThatIsAhead_IsNeverNegative() => Assert.Equal("0s", Human.Age(-250));
}
