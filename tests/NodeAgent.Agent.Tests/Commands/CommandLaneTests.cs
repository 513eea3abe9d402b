using Google.Protobuf;
using Microsoft.Extensions.Logging;
using NodeAgent.Agent.Commands;
using NodeAgent.Agent.Tests.Uplink;
using NodeAgent.Testing;
using NodeAgent.V1;

namespace NodeAgent.Agent.Tests.Commands;

[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "A lane's thread may still answer; the semaphore has no wait handle.")]
public sealed class CommandLaneTests : IDisposable
{
    private static readonly ByteString Id = ByteString.CopyFrom(Guid.NewGuid().ToByteArray());

    private readonly CapturingLogger _logs = new();
    private readonly PlayedActuator _actuator;
    private readonly CommandLane _lane;
    private readonly UplinkBench _bench;
    private readonly SemaphoreSlim _answered = new(0);

    public CommandLaneTests()
    {
        _actuator = new PlayedActuator(Answer);
        _lane = LaneTo(_actuator.Path);
        _bench = new UplinkBench(_lane);
    }

    public void Dispose()
    {
        _lane.Stop();
        _bench.Dispose();
        _actuator.Dispose();
    }

    [Fact]
    public async Task Welcome_WithAnActuator_SaysWhatItIsAndWhatItOwesBeforeFreshData()
    {
        FakeStream stream = await OpenAsync(_bench, answers: 2);
        _bench.Tick(1);
        _bench.Step();

        Assert.Equal("n1", stream.Receive().Actuator.Node);
        Assert.Equal(CommandOutcome.Done, stream.Receive().CommandAnswer.Result.Outcome);
        Assert.NotNull(stream.Receive().Schema);
    }

    [Fact]
    public async Task Command_FromTheAggregator_GoesToTheActuatorAndItsAnswerBack()
    {
        FakeStream stream = await OpenAsync(_bench, answers: 2);
        _bench.Step();
        stream.Receive();
        stream.Receive();

        stream.Answer(Delivery());
        await AnswersAsync(2);
        _bench.Step();
        Assert.Equal(CommandStage.Consumed, stream.Receive().CommandProgress.Stage);
        Assert.Equal(Id, stream.Receive().CommandAnswer.CommandId);

        stream.Answer(new AggregatorMessage { Settled = new CommandsSettled { CommandIds = { Id } } });
        stream.Answer(Delivery());
        await AnswersAsync(2);
        lock (_actuator.Asked) Assert.Contains(_actuator.Asked, request => request.Reported?.CommandIds.Contains(Id) == true);
    }

    [Fact]
    public async Task Answers_WhileTheStreamTakesNothing_WaitAndGoLater()
    {
        FakeStream stream = await OpenAsync(_bench, answers: 2);
        stream.Credit = 0;
        _bench.Step();
        Assert.Equal(0, stream.Waiting);

        stream.Credit = 1;
        _bench.Step();
        stream.Credit = int.MaxValue;
        _bench.Step();
        Assert.NotNull(stream.Receive().Actuator);
        Assert.NotNull(stream.Receive().CommandAnswer);
    }

    [Fact]
    public async Task Command_WithoutAnActuator_IsAnsweredSo()
    {
        CommandLane lane = LaneTo("/nowhere/at/all.sock");
        using UplinkBench bench = new(lane);
        FakeStream stream = await OpenAsync(bench, answers: 1);
        bench.Step();
        Assert.False(stream.Receive().Actuator.Available);

        stream.Answer(Delivery());
        await AnswersAsync(1);
        bench.Step();
        Assert.Equal("no-actuator", stream.Receive().CommandAnswer.Result.Refusal);
        Assert.Contains(_logs.Events, happened => happened.Name == "CommandUndelivered");
    }

    [Fact]
    public async Task Commands_MoreThanMayWait_AreAnsweredBusy()
    {
        using ManualResetEventSlim hold = new();
        using PlayedActuator slow = new(request =>
        {
            if (request.Run is not null) hold.Wait(TestContext.Current.CancellationToken);
            return Answer(request);
        });
        CommandLane lane = LaneTo(slow.Path);
        using UplinkBench bench = new(lane);
        FakeStream stream = await OpenAsync(bench, answers: 2);
        for (int i = 0; i < 80; i++) stream.Answer(Delivery());
        bench.Step();
        int busy = 0;
        while (stream.Waiting > 0) busy += stream.Receive().CommandAnswer?.Result.Refusal == "busy" ? 1 : 0;
        Assert.InRange(busy, 15, 16); // 64 wait, one may be under way
        hold.Set();
    }

    [Fact]
    public async Task Steps_WithNothingToSay_AllocateNothing()
    {
        FakeStream stream = await OpenAsync(_bench, answers: 2);
        _bench.Step();
        stream.Receive();
        stream.Receive();
        for (int i = 0; i < 100; i++) _bench.Client.Step();

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) _bench.Client.Step();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static AggregatorMessage Delivery() => new() { Command = new CommandDelivery { CommandId = Id, Envelope = ByteString.CopyFromUtf8("signed") } };

    private CommandLane LaneTo(string path) => new(path, new CommandLaneLog(new Logger<CommandLaneLog>(_logs))) { OnAnswer = () => _answered.Release() };

    private async Task<FakeStream> OpenAsync(UplinkBench bench, int answers)
    {
        bench.Step();
        FakeStream stream = bench.Network.Newest.Live;
        stream.Welcome(0);
        await AnswersAsync(answers);
        return stream;
    }

    private async Task AnswersAsync(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Assert.True(await _answered.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken), $"answer {i + 1} of {count} did not come");
        }
    }

    private static IEnumerable<ActuatorResponse> Answer(ActuatorRequest request)
    {
        CommandResult done = new() { CommandId = Id, Outcome = CommandOutcome.Done };
        switch (request.BodyCase)
        {
            case ActuatorRequest.BodyOneofCase.Status:
                yield return new ActuatorResponse { Status = new ActuatorReport { Available = true, Node = "n1" } };
                break;
            case ActuatorRequest.BodyOneofCase.Unreported:
                yield return new ActuatorResponse { Unreported = new UnreportedResults { Results = { done } } };
                break;
            case ActuatorRequest.BodyOneofCase.Run:
                yield return new ActuatorResponse { Progress = new CommandProgress { CommandId = Id, Stage = CommandStage.Consumed } };
                yield return new ActuatorResponse { Answer = new CommandAnswer { CommandId = request.Run.CommandId, Result = done } };
                break;
            default:
                yield return new ActuatorResponse { Taken = new ActuatorResponse.Types.Taken() };
                break;
        }
    }
}
