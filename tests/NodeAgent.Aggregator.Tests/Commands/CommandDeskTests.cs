using Google.Protobuf;
using NodeAgent.Aggregator.Commands;
using NodeAgent.V1;
using Rollout = NodeAgent.V1.Rollout;

namespace NodeAgent.Aggregator.Tests.Commands;

public sealed class CommandDeskTests
{
    [Fact]
    public void Submit_ForOneNode_GoesOutIsAnsweredAndSettled()
    {
        using CommandFleet fleet = new();

        Rollout rollout = fleet.Run();
        fleet.Settle();

        Rollout after = fleet.Look(rollout);
        Assert.Equal(RolloutPhase.Done, after.Phase);
        Assert.Equal((1u, 0u), (after.Succeeded, after.Failed));
        Assert.Equal(CommandOutcome.Done, after.Targets[0].Result.Outcome);
        Assert.Empty(fleet.Nodes["n001"].Unreported);
    }

    [Fact]
    public void Waves_OfTwoHundredNodes_AreOneOnePerCentFiveTwentyFiveAndTheRestWithSoakBetween()
    {
        using CommandFleet fleet = new(200);
        Rollout rollout = fleet.Run(byBoth: true, soakMs: 20_000);
        List<int> told = [];
        for (int wave = 0; wave < 5; wave++)
        {
            fleet.Settle();
            told.Add(fleet.Nodes.Values.Sum(node => node.Done));
            fleet.Pass(TimeSpan.FromSeconds(19));
            Assert.Equal(told[^1], fleet.Nodes.Values.Sum(node => node.Done)); // not before its time
            fleet.Pass(TimeSpan.FromSeconds(1));
        }

        Assert.Equal([1, 2, 10, 50, 200], told);
        Assert.Equal(RolloutPhase.Done, fleet.Look(rollout).Phase);
    }

    [Theory]
    [InlineData(10, 1, 1)]
    [InlineData(200, 2, 2)]
    public void Failures_TwoOrFivePerCent_StopTheRest(int nodes, int failuresToStop, int expectedDone)
    {
        using CommandFleet fleet = new(nodes);
        foreach (PlayedNode node in fleet.Nodes.Values)
        {
            node.Fails = true;
        }

        Rollout rollout = fleet.Run(byBoth: true);
        fleet.Pass(TimeSpan.FromMinutes(3));

        Rollout after = fleet.Look(rollout);
        Assert.Equal(RolloutPhase.Stopped, after.Phase);
        Assert.Equal((uint)failuresToStop, after.Failed);
        Assert.Equal(expectedDone, fleet.Nodes.Values.Sum(node => node.Done));
        Assert.Equal(nodes - expectedDone, CommandFleet.Count(after, TargetPhase.Skipped));
        Assert.Contains("RolloutStopped", fleet.Events);
    }

    [Fact]
    public void Silence_OfACommandedNode_StopsTheRest()
    {
        using CommandFleet fleet = new(10);
        Rollout rollout = fleet.Run(byBoth: true, soakMs: 60_000);
        fleet.Settle();

        fleet.Nodes["n001"].IsSilent = true;
        fleet.Pass(TimeSpan.FromSeconds(70));

        Rollout after = fleet.Look(rollout);
        Assert.Equal(RolloutPhase.Stopped, after.Phase);
        Assert.Contains("n001 fell silent", after.Detail);
        Assert.Equal(1, fleet.Nodes.Values.Sum(node => node.Done));
    }

    [Fact]
    public void Approval_OfABroadRollout_IsAskedOfAnotherPersonWithAnotherKey()
    {
        using CommandFleet fleet = new(20);
        Rollout rollout = fleet.Run();
        fleet.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(RolloutPhase.AwaitingApproval, fleet.Look(rollout).Phase);
        Assert.Equal(0, fleet.Nodes.Values.Sum(node => node.Done));

        Assert.Throws<UnauthorizedAccessException>(() => fleet.Desk.Approve("operator/anna", fleet.Approval(rollout)));
        Assert.Contains("signed already", Assert.Throws<ArgumentException>(() => fleet.Desk.Approve("operator/ben", fleet.Approval(rollout, byAnna: true))).Message);
        ApproveRequest partial = fleet.Approval(rollout);
        partial.Signatures.RemoveAt(7);
        Assert.Contains("missing", Assert.Throws<ArgumentException>(() => fleet.Desk.Approve("operator/ben", partial)).Message);

        fleet.Desk.Approve("operator/ben", fleet.Approval(rollout));
        fleet.Restart();
        fleet.Pass(TimeSpan.FromSeconds(30));
        Rollout after = fleet.Look(rollout);
        Assert.Equal(["operator/anna", "operator/ben"], after.People);
        Assert.True(after.Succeeded > 1);
    }

    [Fact]
    public void Approval_ThatNeverComes_EndsWithTheWindow()
    {
        using CommandFleet fleet = new();
        Rollout rollout = fleet.Run(kind: "reboot");

        fleet.Pass(TimeSpan.FromMinutes(15));

        Assert.Equal(RolloutPhase.Stopped, fleet.Look(rollout).Phase);
        Assert.Equal(0, fleet.Nodes["n001"].Done);
    }

    [Fact]
    public void Cancel_AndHalt_StopWhatWaitsAndHaltRefusesWhatIsNew()
    {
        using CommandFleet fleet = new(20);
        Rollout first = fleet.Run(byBoth: true);
        fleet.Settle();
        fleet.Desk.Cancel("operator/anna", new CancelRequest { RolloutId = first.RolloutId, Reason = "a mistake" });
        Rollout second = fleet.Run("n002");
        Rollout third = fleet.Run(byBoth: true);
        fleet.Desk.Halt("viewer/carl", "smoke");
        fleet.Pass(TimeSpan.FromSeconds(30));

        Assert.Equal(RolloutPhase.Cancelled, fleet.Look(first).Phase);
        Assert.Equal(RolloutPhase.Stopped, fleet.Look(third).Phase);
        Assert.Throws<CommandStateException>(() => fleet.Run("n003"));
        fleet.Restart();
        Assert.Throws<CommandStateException>(() => fleet.Run("n003"));

        fleet.Desk.Resume("operator/anna", "false alarm");
        Assert.Equal(RolloutPhase.Done, fleet.Look(fleet.Run("n003")) is var now && now.Phase == RolloutPhase.Running ? Finish(fleet, now) : now.Phase);
        Assert.Equal(RolloutPhase.Stopped, fleet.Look(third).Phase);
        Assert.NotNull(second);
    }

    [Fact]
    public void Halt_WhileTheDiskFails_StopsAllTheSame()
    {
        using CommandFleet fleet = new(20);
        Rollout rollout = fleet.Run(byBoth: true);
        fleet.Settle();
        fleet.Disk.CapacityBytes = 0;

        HaltState state = fleet.Desk.Halt("viewer/carl", "smoke");
        fleet.Pass(TimeSpan.FromMinutes(2));

        Assert.True(state.Halted);
        Assert.Equal(RolloutPhase.Stopped, fleet.Look(rollout).Phase);
        Assert.Equal(1, fleet.Nodes.Values.Sum(node => node.Done));

        // What counted in memory is written when the disk works again.
        fleet.Disk.CapacityBytes = long.MaxValue;
        fleet.Pass(TimeSpan.FromSeconds(10));
        fleet.Restart();
        Assert.True(fleet.Desk.List(1).Halt.Halted);
        Assert.Equal(RolloutPhase.Stopped, fleet.Look(rollout).Phase);
    }

    [Fact]
    public void Submit_WhileTheDiskFails_SendsNothing()
    {
        using CommandFleet fleet = new();
        SubmitRequest request = fleet.Sign("all", "no_op");
        fleet.Disk.CapacityBytes = 0;

        Assert.Throws<CommandJournalException>(() => fleet.Desk.Submit("operator/anna", request));
        fleet.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(0, fleet.Nodes["n001"].Done);

        // And it does not begin by itself when the disk works again, nor after a restart.
        fleet.Disk.CapacityBytes = long.MaxValue;
        fleet.Pass(TimeSpan.FromSeconds(10));
        fleet.Restart();
        fleet.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(0, fleet.Nodes["n001"].Done);
        Assert.All(fleet.Desk.List(10).Rollouts, rollout => Assert.Equal(RolloutPhase.Cancelled, rollout.Phase));
        fleet.Run();
        fleet.Settle();
        Assert.Equal(1, fleet.Nodes["n001"].Done);
    }

    [Fact]
    public void Restart_InTheMiddle_GoesOnAndNodesDoEachCommandOnce()
    {
        using CommandFleet fleet = new(60);
        Rollout rollout = fleet.Run(byBoth: true, soakMs: 5_000);
        for (int round = 0; round < 40; round++)
        {
            fleet.Pass(TimeSpan.FromSeconds(1 + (round % 3)));
            fleet.Restart();
        }

        fleet.Pass(TimeSpan.FromSeconds(30));
        Rollout after = fleet.Look(rollout);
        Assert.Equal((RolloutPhase.Done, 60u), (after.Phase, after.Succeeded));
        Assert.All(fleet.Nodes.Values, node => Assert.Equal(1, node.Done));
    }

    [Fact]
    public void Answer_ThatGotLost_IsOfferedAgainAndTheCommandIsNotANewOne()
    {
        using CommandFleet fleet = new();
        PlayedNode node = fleet.Nodes["n001"];
        node.IsDumb = true;
        Rollout rollout = fleet.Run();
        fleet.Settle();
        Assert.Equal(TargetPhase.Sent, fleet.Look(rollout).Targets[0].Phase);

        fleet.Disconnect(node);
        node.IsDumb = false;
        fleet.Restart();
        fleet.Pass(TimeSpan.FromSeconds(3));

        Assert.Equal(TargetPhase.Succeeded, fleet.Look(rollout).Targets[0].Phase);
        Assert.Equal(1, node.Done);
    }

    [Fact]
    public void Answer_ThatNeverComes_IsUnknownAndALateOneIsStillTaken()
    {
        using CommandFleet fleet = new();
        PlayedNode node = fleet.Nodes["n001"];
        node.IsDumb = true;
        Rollout rollout = fleet.Run();
        fleet.Pass(TimeSpan.FromMinutes(16));
        Assert.Equal(TargetPhase.Unknown, fleet.Look(rollout).Targets[0].Phase);

        fleet.Connect(node);
        fleet.Settle();
        Assert.Equal(TargetPhase.Succeeded, fleet.Look(rollout).Targets[0].Phase);
    }

    [Fact]
    public void Answer_OfAnotherNode_ChangesNothing()
    {
        using CommandFleet fleet = new(2);
        fleet.Nodes["n001"].IsDumb = true;
        Rollout rollout = fleet.Run("n001");
        fleet.Settle();
        ByteString id = fleet.Look(rollout).Targets[0].CommandId;

        ((ICommandPost)fleet.Desk).Take("n002", new AgentMessage { CommandAnswer = new CommandAnswer { CommandId = id, Result = new CommandResult { CommandId = id, Outcome = CommandOutcome.Done } } });
        fleet.Pass(TimeSpan.FromSeconds(2));

        Assert.Equal(TargetPhase.Sent, fleet.Look(rollout).Targets[0].Phase);
    }

    [Fact]
    public void Report_InAnotherNodesName_MakesTheNodeUnreachable()
    {
        using CommandFleet fleet = new(2);
        ((ICommandPost)fleet.Desk).Take("n002", new AgentMessage { Actuator = fleet.Nodes["n001"].Report() });
        fleet.Desk.Step();

        PrepareResponse prepared = fleet.Desk.Prepare(new PrepareRequest { Selector = "all", Kind = "no_op" });

        Assert.Equal(["n001"], prepared.Targets.Select(target => target.Node));
        Assert.Contains("another node", prepared.Unreachable[0].Reason);
    }

    [Fact]
    public void Report_OfAShorterChain_IsToldLoudly()
    {
        using CommandFleet fleet = new();
        fleet.Nodes["n001"].ChainIndex = 3;
        fleet.Connect(fleet.Nodes["n001"]);

        Assert.Contains("NodeHeadWentBack", fleet.Events);
    }

    [Fact]
    public void Outages_AreCappedAtTenPerCentOfTheFleet()
    {
        using CommandFleet fleet = new(30);
        foreach (PlayedNode node in fleet.Nodes.Values)
        {
            node.IsDumb = true; // they reboot, and nobody has heard of them since
        }

        fleet.Run("n00?", "reboot", byBoth: true, soakMs: 1);
        fleet.Run("n01?", "reboot", byBoth: true, soakMs: 1);
        fleet.Run("n02?", "reboot", byBoth: true, soakMs: 1);
        Rollout fourth = fleet.Run("n030", "reboot", byBoth: true, soakMs: 1);
        fleet.Pass(TimeSpan.FromMinutes(2));

        Assert.Equal(3, fleet.Nodes.Values.Sum(node => node.Done));
        Assert.Contains("3 of 30 nodes may be away", fleet.Look(fourth).Detail);
    }

    [Fact]
    public void Submit_WhatDoesNotFitTogether_IsRefusedBeforeItIsWritten()
    {
        using CommandFleet fleet = new(2);

        Refused(request => request.Targets.Add(request.Targets[0].Clone()), "there twice");
        Refused(request => (request.Targets[0].Node, request.Targets[1].Node) = (request.Targets[1].Node, request.Targets[0].Node), "names another agent");
        Refused(request => request.Targets[0].Envelope = ByteString.CopyFromUtf8("hello"), "canonical");
        Refused(request => request.RolloutId = ByteString.Empty, "rollout_id");
        Refused(request => request.Targets[0].Node = "n999", "no actuator");
        Refused(
            request =>
            {
                SignedCommand unsigned = SignedCommand.Parser.ParseFrom(request.Targets[0].Envelope);
                unsigned.Signatures.Clear();
                request.Targets[0].Envelope = unsigned.ToByteString();
            },
            "nobody signed");
        Assert.Empty(fleet.Desk.List(10).Rollouts);

        void Refused(Action<SubmitRequest> spoil, string why)
        {
            SubmitRequest request = fleet.Sign("all", "no_op");
            spoil(request);
            Assert.Contains(why, Assert.Throws<ArgumentException>(() => fleet.Desk.Submit("operator/anna", request)).Message);
        }
    }

    [Fact]
    public void Submit_Twice_IsOneRollout()
    {
        using CommandFleet fleet = new();
        SubmitRequest request = fleet.Sign("all", "no_op");

        fleet.Desk.Submit("operator/anna", request);
        fleet.Settle();
        fleet.Desk.Submit("operator/anna", request);
        fleet.Settle();

        Assert.Single(fleet.Desk.List(10).Rollouts);
        Assert.Equal(1, fleet.Nodes["n001"].Done);
        Assert.Throws<ArgumentException>(() => fleet.Desk.Submit("operator/ben", request));
    }

    private static RolloutPhase Finish(CommandFleet fleet, Rollout rollout)
    {
        fleet.Settle();
        return fleet.Look(rollout).Phase;
    }
}
