using System.Globalization;
using NodeAgent.Actuation.Host;
using NodeAgent.Commands.Catalogue;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Tests.Actuators;

/// <summary>The steps of an actuator as the runner takes them, without envelope and journal.</summary>
internal static class Steps
{
    internal static CancellationToken Deadline(double seconds = 30) => new CancellationTokenSource(TimeSpan.FromSeconds(seconds)).Token;

    /// <summary>Prepares, and checks that every precondition is one of the catalogue's.</summary>
    internal static Preparation Prepare(this IActuator actuator, Command command)
    {
        Preparation prepared = actuator.Prepare(command, Deadline());
        CommandDescription row = CommandCatalogue.All.Single(row => row.Action == actuator.Action);
        Assert.All(prepared.Preconditions, condition => Assert.Contains(condition.Name, row.Preconditions.Select(known => known.Name)));
        if (prepared.Passed) Assert.Equal(row.Preconditions.Count, prepared.Preconditions.Count);
        Assert.True(!prepared.Passed || row.HasUndo == prepared.Undo is not null, $"{row.Name}: undo");
        return prepared;
    }

    internal static Preparation PrepareAll(this IActuator actuator, Command command)
    {
        Preparation prepared = actuator.Prepare(command);
        Assert.True(prepared.Passed, string.Join("; ", prepared.Preconditions.Where(condition => !condition.Passed)));
        return prepared;
    }

    internal static string FailedOf(this IActuator actuator, Command command) =>
        string.Join(' ', actuator.Prepare(command).Preconditions.Where(condition => !condition.Passed).Select(condition => condition.Name));

    /// <summary>Prepares, acts and reads back; all must go well.</summary>
    internal static Preparation Run(this IActuator actuator, Command command)
    {
        Preparation prepared = actuator.PrepareAll(command);
        StepResult acted = actuator.Act(command, prepared, Deadline());
        Assert.True(acted.Ok, acted.Detail);
        StepResult verified = actuator.Verify(command, prepared, Deadline());
        Assert.True(verified.Ok, verified.Detail);
        return prepared;
    }

    internal static void TakeBack(this IActuator actuator, Preparation prepared)
    {
        StepResult undone = actuator.Undo(prepared.Undo!, Deadline());
        Assert.True(undone.Ok, undone.Detail);
        Assert.True(actuator.Undo(prepared.Undo!, Deadline()).Ok, "undone twice");
    }

    internal static uint Uid { get; } = uint.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1], CultureInfo.InvariantCulture);

    internal static HostPaths Paths { get; } = new() { TrustedOwner = Uid };
}
