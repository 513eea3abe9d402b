using System.Globalization;
using Microsoft.Extensions.Logging;
using NodeAgent.Actuation.Local;
using NodeAgent.V1;

namespace NodeAgent.Agent.Actuator;

/// <summary>Says in the log what the server sees.</summary>
internal sealed class ActuatorWatch(ILogger log) : IActuatorWatch
{
    public void Refused(uint? user) => log.CallerRefused(user?.ToString(CultureInfo.InvariantCulture) ?? "unknown");

    public void Broken(string reason) => log.ConnectionBroken(reason);

    public void Ended(CommandAnswer answer)
    {
        string id = Convert.ToHexStringLower(answer.CommandId.Span);
        if (answer.Result.Refusal.Length > 0) log.CommandRefused(id, answer.Result.Refusal, answer.Result.Detail);
        else log.CommandEnded(id, answer.Result.Outcome.ToString(), answer.Result.Detail);
    }

    public void PutBack(int settings) => log.SettingsReverted(settings);
}
