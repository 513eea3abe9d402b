using Microsoft.Extensions.Logging;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Agent.Host;

/// <summary>Logs a sampler's changes of state; a sampler that has nothing on this host from the start is no news.</summary>
internal sealed class SamplerWatch(ILogger log) : ISamplerObserver
{
    public void OnStateChanged(in SamplerChange change)
    {
        bool wasGood = change.From is null || SamplerRunner.IsSuccess(change.From.Value);
        if (!SamplerRunner.IsSuccess(change.To))
        {
            log.SamplerFailed(change.Sampler, change.From?.ToString() ?? "start", change.To.ToString(), change.Error?.Message ?? "as its source said");
        }
        else if (!wasGood)
        {
            log.SamplerRecovered(change.Sampler, change.To.ToString(), change.CallsInFrom, change.From!.Value.ToString());
        }
    }
}
