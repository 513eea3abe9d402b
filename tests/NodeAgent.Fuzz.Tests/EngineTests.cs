using NodeAgent.Fuzz.Engine;
using NodeAgent.Testing;

namespace NodeAgent.Fuzz.Tests;

/// <summary>The engine must see failures: a fuzzer that reports none proves nothing otherwise.</summary>
public sealed class EngineTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nodeagent-fuzz-");
    private readonly StringWriter _lines = new();

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        _lines.Dispose();
    }

    [Fact]
    public void RunAll_ATargetThatThrowsOnceAnInputHasAZero_ReportsSavesAndExitsWithOne()
    {
        Scripted failing = new(input =>
        {
            if (input.Contains((byte)0))
            {
                throw new InvalidOperationException("deliberate");
            }
        });

        Assert.Equal(1, Fuzz(failing));

        byte[] saved = File.ReadAllBytes(Assert.Single(_folder.GetFiles()).FullName);
        Assert.Contains((byte)0, saved);
        Assert.Contains("scripted: FAILED at seed 7", _lines.ToString(), StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexString(saved), _lines.ToString(), StringComparison.Ordinal);
        Assert.Contains("deliberate", _lines.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void RunAll_ATargetThatAllocatesWithoutBound_Fails() =>
        Assert.Equal(1, Fuzz(new Scripted(_ => GC.KeepAlive(new byte[65 << 20]))));

    [Fact]
    public void RunAll_AfterAFailure_StillRunsTheOthers()
    {
        int runs = 0;
        Assert.Equal(1, Fuzz(new Scripted(_ => throw new InvalidOperationException()), new Scripted(_ => runs++)));
        Assert.Equal(500, runs);
    }

    [Fact]
    public void RunAll_TheSameSeed_TriesTheSameInputs()
    {
        List<string> first = [];
        List<string> second = [];
        Assert.Equal(0, Fuzz(new Scripted(input => first.Add(Convert.ToHexString(input)))));
        Assert.Equal(0, Fuzz(new Scripted(input => second.Add(Convert.ToHexString(input)))));
        Assert.Equal(first, second);
        Assert.True(first.Distinct().Count() > 400, "mutations should rarely repeat");
    }

    [Fact]
    public void Watchdog_AnInputThatDoesNotComeBack_IsReportedOnceAndEndsTheProcess()
    {
        SimulatedTime time = new();
        List<int> exits = [];
        using Watchdog watchdog = new(new FailureReport(_folder.FullName, _lines), time, exits.Add);

        watchdog.Enter(new FuzzInput("scripted", 7, 3, [0xAB]));
        time.Advance(Watchdog.Limit);
        Assert.Empty(exits);
        time.Advance(Watchdog.Limit);

        Assert.Equal([1], exits);
        Assert.Contains("scripted: FAILED at seed 7, iteration 3", _lines.ToString(), StringComparison.Ordinal);
        Assert.Contains("input AB", _lines.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Watchdog_AnInputThatCameBack_IsLeftAlone()
    {
        SimulatedTime time = new();
        List<int> exits = [];
        using Watchdog watchdog = new(new FailureReport(_folder.FullName, _lines), time, exits.Add);

        watchdog.Enter(new FuzzInput("scripted", 7, 3, [0xAB]));
        watchdog.Leave();
        time.Advance(2 * Watchdog.Limit);

        Assert.Empty(exits);
    }

    private int Fuzz(params IFuzzTarget[] targets) =>
        new Fuzzer(new FuzzBounds(7, TimeSpan.MaxValue, 500), new FailureReport(_folder.FullName, _lines), new SimulatedTime()).RunAll(targets);

    private sealed class Scripted(Action<byte[]> run) : IFuzzTarget
    {
        public string Name => "scripted";

        public IReadOnlyList<byte[]> Seeds { get; } = ["0123456789"u8.ToArray()];

        public void Run(ReadOnlySpan<byte> input) => run(input.ToArray());
    }
}
