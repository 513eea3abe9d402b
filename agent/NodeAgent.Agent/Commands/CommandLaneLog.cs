using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Agent.Commands;

/// <summary>Events of the agent's side of commands (5100 to 5149).</summary>
internal sealed partial class CommandLaneLog(ILogger<CommandLaneLog> logger)
{
    [LoggerMessage(EventId = 5100, EventName = "NoActuator", Level = LogLevel.Information,
        Message = "this node takes no commands: {Reason}")]
    public partial void NoActuator(string reason);

    [LoggerMessage(EventId = 5101, EventName = "CommandUndelivered", Level = LogLevel.Warning, Message = "command {Command} did not get through to the actuator: {Reason}")]
    [EventHelp(
        Meaning = "The command was answered \"no-actuator\". If the connection broke in the middle, its true result follows at the next connection.",
        Cause = "The actuator does not run, does not let the agent in, or ended in the middle.",
        Action = "Look at the actuator's log (events 5002, 5003, 5009).")]
    public partial void Undelivered(string command, string reason);

    [LoggerMessage(EventId = 5102, EventName = "CommandAnswerLetGo", Level = LogLevel.Warning, Message = "an answer could not wait for the stream any longer")]
    [EventHelp(
        Meaning = "The aggregator hears of that command's end at the next connection, from the actuator's journal.",
        Cause = "The aggregator takes nothing while commands end one after the other.",
        Action = "See to the aggregator; nothing is lost here.")]
    public partial void AnswerLetGo();
}
