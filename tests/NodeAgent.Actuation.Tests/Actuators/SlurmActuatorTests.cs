using Google.Protobuf;
using NodeAgent.Actuation.Actuators;
using NodeAgent.Actuation.Host;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Tests.Actuators;

/// <summary>Against Debian's real Slurm, where it is installed.</summary>
public sealed class SlurmActuatorTests
{
    [Fact]
    public void Drain_AndResume_AgainstTheRealSlurm_TakeAndGiveBackOnlyWhatIsOurs()
    {
        if (RealSlurm.Missing is { } missing) Assert.Skip(missing);
        using RealSlurm slurm = new();
        slurm.Start();
        SlurmDrainActuator drain = new(slurm.Tools, Steps.Paths);
        SlurmResumeActuator resume = new(slurm.Tools, Steps.Paths);
        Assert.Equal("drained-by-us", resume.FailedOf(Resume()));
        Assert.Equal("node-known", drain.FailedOf(new Command { SlurmDrain = new SlurmDrain { Node = "n9" } }));

        // Drained by a command, and given back by another.
        drain.Run(Drain(1));
        Assert.Contains("State=IDLE+DRAIN", slurm.Show());
        Assert.Contains("Reason=nodeagent:0101", slurm.Show());
        Assert.Equal("not-drained", drain.FailedOf(Drain(2)));
        resume.Run(Resume());
        Assert.DoesNotContain("DRAIN", slurm.Show());

        // For a time: put back by itself, twice is once.
        drain.TakeBack(drain.Run(Drain(3)));
        Assert.DoesNotContain("DRAIN", slurm.Show());

        // Somebody takes it over in between: it is theirs.
        Preparation prepared = drain.Run(Drain(4));
        Assert.True(slurm.Scontrol("update", "nodename=n1", "state=drain", "reason=disk is dying").Ok);
        Assert.True(drain.Undo(prepared.Undo!, Steps.Deadline()).Ok);
        Assert.Contains("Reason=disk is dying", slurm.Show());
        Assert.Equal("drained-by-us", resume.FailedOf(Resume()));
    }

    [Fact]
    public void Drain_WithoutSlurm_SaysSo()
    {
        SlurmDrainActuator drain = new(new Tools(), Steps.Paths with { Scontrol = "/nowhere/scontrol" });

        Assert.Equal("slurm-answers node-known", drain.FailedOf(Drain(1)));
    }

    private static Command Drain(byte id) => new()
    {
        CommandId = ByteString.CopyFrom([.. Enumerable.Repeat(id, 16)]),
        Reason = "too [warm] = \"hot\"",
        SlurmDrain = new SlurmDrain { Node = "n1" },
    };

    private static Command Resume() => new() { SlurmResume = new SlurmResume { Node = "n1" } };
}
