using Grpc.Core;
using NodeAgent.Tsdb;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Usage;

/// <summary>Between the contract's messages and the calculation; defaults come from the settings.</summary>
internal static class UsageMapping
{
    /// <exception cref="RpcException">A value is out of its bounds.</exception>
    internal static UsageQuestion ToQuestion(UsageRequest request, UsageSettings settings, long nowUnixMs, long defaultRangeMs)
    {
        long to = request.HasToUnixMs ? request.ToUnixMs : nowUnixMs;
        double price = request.HasGpuHourPrice ? request.GpuHourPrice : settings.GpuHourPrice;
        double idle = request.HasIdleBelowRatio ? request.IdleBelowRatio : settings.IdleBelowRatio;
        if (!(price >= 0) || double.IsInfinity(price) || !(idle is >= 0 and <= 1))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"gpu_hour_price {price} and idle_below_ratio {idle}: a price is not negative, a ratio from 0 to 1"));
        }

        return new UsageQuestion(request.HasFromUnixMs ? request.FromUnixMs : to - defaultRangeMs, to, request.By.Length > 0 ? request.By : SeriesInfo.NodeLabel, price, idle);
    }

    internal static UsageResponse ToWire(UsageReport report, UsageQuestion question, UsageSettings settings)
    {
        UsageResponse response = new()
        {
            FromUnixMs = report.FromUnixMs,
            ToUnixMs = report.ToUnixMs,
            StepMs = (ulong)report.StepMs,
            By = question.By,
            GpuHourPrice = question.PricePerGpuHour,
            Currency = settings.Currency,
            IdleBelowRatio = question.IdleBelowRatio,
            Total = ToWire(report.Total),
        };
        response.Entries.AddRange(report.Rows.Select(ToWire));
        return response;
    }

    private static UsageEntry ToWire(UsageRow row) => new()
    {
        Key = row.Key,
        Gpus = (uint)row.Gpus,
        GpuHours = row.GpuHours,
        MeanUtilizationRatio = row.MeanUtilizationRatio,
        IdleHours = row.IdleHours,
        IdleCost = row.IdleCost,
        EnergyKilowattHours = row.EnergyKilowattHours,
        EnergySource = (EnergySource)(int)row.Energy, // the flags' numbers are the contract's: both is mixed
    };
}
