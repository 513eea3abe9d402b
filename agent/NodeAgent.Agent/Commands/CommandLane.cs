using Google.Protobuf;
using NodeAgent.Commands;
using NodeAgent.Commands.Local;
using NodeAgent.V1;

namespace NodeAgent.Agent.Commands;

/// <summary>
/// Carries commands between the aggregator's stream and the local actuator, and understands neither. It keeps nothing: what must not be lost
/// is in the actuator's journal, and is offered again after every welcome. Its thread exists while there is something to do.
/// </summary>
/// <param name="socket">The actuator's.</param>
/// <param name="log">Where its events go.</param>
internal sealed class CommandLane(string socket, CommandLaneLog log) : ICommandLane
{
    /// <summary>More than any wave sends one node; who sends more is told so.</summary>
    private const int MostWaiting = 64;

    /// <summary>Answers that the stream has not taken: with the journal behind them, more may be let go of.</summary>
    private const int MostAnswers = 256;

    /// <summary>Longer than any command's deadline.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(12);

    private readonly Lock _lock = new();
    private readonly Queue<AggregatorMessage?> _waiting = new(); // null: a welcome
    private readonly Queue<byte[]> _answers = new();
    private bool _isRunning; // a thread is at it
    private bool _isStopped;
    private volatile bool _hasAnswers;
    private volatile bool _isStartOwed; // the host had no thread left; asked for again whenever the uplink looks for answers

    /// <summary>An answer is there to be sent; from the lane's thread, under its lock, so it must not wait. Never after <see cref="Stop"/>.</summary>
    internal Action OnAnswer { get; set; } = static () => { };

    /// <summary>
    /// Nobody listens any more. A command that is under way goes on in the actuator, whose journal has its result for the next connection.
    /// </summary>
    internal void Stop()
    {
        lock (_lock)
        {
            _isStopped = true;
            _waiting.Clear();
        }
    }

    public bool HasAnswers
    {
        get
        {
            if (_isStartOwed)
            {
                Start();
            }

            return _hasAnswers;
        }
    }

    public void Welcomed() => Add(null);

    public bool Take(AggregatorMessage message)
    {
        if (message.BodyCase is not (AggregatorMessage.BodyOneofCase.Command or AggregatorMessage.BodyOneofCase.Settled)) return false;
        Add(message);
        return true;
    }

    public bool TryPeek(out byte[] answer)
    {
        lock (_lock)
        {
            return _answers.TryPeek(out answer!);
        }
    }

    public void Sent()
    {
        lock (_lock)
        {
            _answers.Dequeue();
            _hasAnswers = _answers.Count > 0;
        }
    }

    private void Add(AggregatorMessage? message)
    {
        lock (_lock)
        {
            if (message is null)
            {
                // A new stream begins: what the last one did not take is offered again by the journal.
                _answers.Clear();
                _hasAnswers = false;
            }
            else if (_waiting.Count >= MostWaiting)
            {
                if (message.Command is { } refused) AnswerNeedsLock(Refusal(refused.CommandId, CommandRefusal.Busy, $"{MostWaiting} commands wait already"));
                return;
            }

            _waiting.Enqueue(message);
            if (_isRunning) return;
            _isRunning = true;
        }

        Start();
    }

    private void Start()
    {
        try
        {
            new Thread(Run) { Name = "commands", IsBackground = true }.Start();
            _isStartOwed = false;
        }
        catch (OutOfMemoryException)
        {
            _isStartOwed = true; // pids.max or the like: telemetry goes on, and commands wait
        }
    }

    private void Run()
    {
        ActuatorClient? client = null;
        try
        {
            while (TryNext(out AggregatorMessage? message))
            {
                try
                {
                    if (message is null)
                    {
                        client?.Dispose(); // the actuator may be another one since
                        client = null;
                    }

                    client ??= ActuatorClient.Connect(socket, Patience);
                    Do(client, message);
                }
                catch (IOException e)
                {
                    client?.Dispose();
                    client = null;
                    Fail(message, e.Message);
                }
            }
        }
        finally
        {
            client?.Dispose();
        }
    }

    private bool TryNext(out AggregatorMessage? message)
    {
        lock (_lock)
        {
            _isRunning = _waiting.TryDequeue(out message);
            return _isRunning;
        }
    }

    private void Do(ActuatorClient client, AggregatorMessage? message)
    {
        switch (message?.BodyCase)
        {
            case null:
                Answer(new AgentMessage { Actuator = client.Status() });
                UnreportedResults owed = client.Unreported();
                foreach (CommandResult result in owed.Results)
                {
                    CommandAnswer answer = new() { CommandId = result.CommandId, Result = result, Head = owed.Head, HighestSequence = owed.HighestSequence };
                    Answer(new AgentMessage { CommandAnswer = answer });
                }

                break;
            case AggregatorMessage.BodyOneofCase.Command:
                RunCommand run = new() { CommandId = message.Command.CommandId, Envelope = message.Command.Envelope };
                Answer(new AgentMessage { CommandAnswer = client.Run(run, progress => Answer(new AgentMessage { CommandProgress = progress })) });
                break;
            default:
                ResultsReported told = new() { AggregatorHead = message.Settled.Head };
                told.CommandIds.AddRange(message.Settled.CommandIds);
                client.Reported(told);
                break;
        }
    }

    // Whether a command ran when the connection broke in the middle, the journal says at the next welcome, and the answer then replaces this one.
    private void Fail(AggregatorMessage? message, string reason)
    {
        if (message is null)
        {
            log.NoActuator(reason);
            Answer(new AgentMessage { Actuator = new ActuatorReport { Available = false, Reason = reason } });
        }
        else if (message.BodyCase == AggregatorMessage.BodyOneofCase.Command)
        {
            log.Undelivered(Convert.ToHexStringLower(message.Command.CommandId.Span), reason);
            Answer(Refusal(message.Command.CommandId, CommandRefusal.NoActuator, $"no actuator here: {reason}"));
        }
    }

    private static AgentMessage Refusal(ByteString id, CommandRefusal refusal, string detail) => new()
    {
        CommandAnswer = new CommandAnswer
        {
            CommandId = id,
            Result = new CommandResult { CommandId = id, Refusal = CommandRefusals.NameOf(refusal), Detail = detail },
        },
    };

    private void Answer(AgentMessage message)
    {
        lock (_lock)
        {
            AnswerNeedsLock(message);
            if (!_isStopped)
            {
                OnAnswer();
            }
        }
    }

    private void AnswerNeedsLock(AgentMessage message)
    {
        if (_answers.Count >= MostAnswers)
        {
            log.AnswerLetGo();
            return;
        }

        _answers.Enqueue(message.ToByteArray());
        _hasAnswers = true;
    }
}
