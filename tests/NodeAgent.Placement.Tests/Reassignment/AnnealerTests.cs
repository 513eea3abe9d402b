using System.IO.Compression;
using NodeAgent.Placement.Reassignment;

namespace NodeAgent.Placement.Tests.Reassignment;

public sealed class AnnealerTests
{
    [Fact]
    public void Run_A11_ReachesTheKnownBestAndTheCheckerAgrees()
    {
        (ReassignmentModel model, int[] initial) = Read("a1_1");
        Assert.Equal(49_528_750, ReassignmentChecker.Cost(model, initial, initial));

        AnnealingResult result = new Annealer(model, initial, seed: 1).Run(tried => tried / 3_000_000.0);

        Assert.Null(ReassignmentChecker.Fault(model, initial, result.Assignment));
        Assert.Equal(result.Cost, ReassignmentChecker.Cost(model, initial, result.Assignment));
        Assert.InRange(result.Cost, 44_306_501, 44_350_000); // 44,306,501 is the best known
    }

    [Fact]
    public void Checker_EverybodyOnOneMachine_Objects()
    {
        (ReassignmentModel model, int[] initial) = Read("a1_1");

        Assert.NotNull(ReassignmentChecker.Fault(model, initial, new int[model.Processes]));
        Assert.Null(ReassignmentChecker.Fault(model, initial, initial));
    }

    private static (ReassignmentModel, int[]) Read(string name)
    {
        ReassignmentModel model = ReassignmentModel.Read(Open($"model_{name}.txt.gz"));
        return (model, model.ReadAssignment(Open($"assignment_{name}.txt.gz")));
    }

    private static StreamReader Open(string name) =>
        new(new GZipStream(File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Data", "roadef", name)), CompressionMode.Decompress));
}
