using NodeAgent.Aggregator.Operations;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Aggregator.Tests.Operations;

/// <summary><c>aggregator backup</c> and its sisters on real files.</summary>
public sealed class OfflineProgramTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("aggregator-offline-").FullName;
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _errors = new() { NewLine = "\n" };

    private string State => Path.Combine(_folder, "state");

    private string Backup => Path.Combine(_folder, "b1");

    public OfflineProgramTests()
    {
        JournalOptions options = new() { Directory = Path.Combine(State, "wal") };
        Assert.True(DurableLog.TryOpen(options, FileOps.ForThisMachine(), TimeProvider.System, out DurableLog? log, out OpenError? error), error?.Message);
        log.TryAppend(1, "hello"u8);
        log.TryAppend(1, "world"u8);
        log.Dispose();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void State_BackedUpHarmedAndRestored_IsWhatItWas()
    {
        File.WriteAllText(Path.Combine(_folder, "key"), new string('a', 64));
        string[] key = ["--key-file", Path.Combine(_folder, "key")];
        Assert.Equal(ExitCode.Ok, Run(["backup", Backup, .. key]));
        Assert.Contains("log record 2, encrypted", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, Run(["verify", Backup, .. key]));
        Assert.Equal(ExitCode.Ok, Run(["inspect", Backup, .. key]));

        string segment = Directory.EnumerateFiles(Path.Combine(State, "wal"), "*.segment").Order(StringComparer.Ordinal).First();
        byte[] bytes = File.ReadAllBytes(segment);
        bytes[75] ^= 1;
        File.WriteAllBytes(segment, bytes);
        Assert.Equal(ExitCode.Failure, Run(["verify"]));
        Assert.Contains($"DAMAGED {segment}:64: ", _output.ToString(), StringComparison.Ordinal);

        Assert.Equal(ExitCode.Usage, Run(["restore", Backup, .. key]));
        Assert.Contains("--force puts it aside", _errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, Run(["restore", Backup, "--force", .. key]));
        Assert.Equal(ExitCode.Ok, Run(["verify"]));
        Assert.Contains("the former state is in ", _output.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(State, StateRooms.UnfinishedRestore)));
    }

    [Fact]
    public void Inspect_AsJson_IsOneDocument()
    {
        Assert.Equal(ExitCode.Ok, Run(["inspect", "--json"]));
        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(_output.ToString());
        Assert.Equal(2, document.RootElement.GetProperty("journals")[0].GetProperty("records").GetInt32());
    }

    [Fact]
    public void Backup_WithTheWrongKey_SaysSo()
    {
        File.WriteAllText(Path.Combine(_folder, "key"), new string('a', 64));
        File.WriteAllText(Path.Combine(_folder, "other"), new string('b', 64));
        Assert.Equal(ExitCode.Ok, Run(["backup", Backup, "--key-file", Path.Combine(_folder, "key")]));
        Assert.Equal(ExitCode.Usage, Run(["verify", Backup, "--key-file", Path.Combine(_folder, "other")]));
        Assert.Equal($"aggregator: {Backup} is encrypted with another key file\n", _errors.ToString());
    }

    [Theory]
    [InlineData("backup needs the backup's path", "backup")]
    [InlineData("unknown option '--forze'", "restore", "b", "--forze")]
    [InlineData("--force is for restore", "verify", "--force")]
    [InlineData("--link is for --directory, and not with a key", "backup", "b", "--link")]
    [InlineData("'c' is one path too many", "restore", "b", "c")]
    [InlineData("--state needs a value", "verify", "--state")]
    public void Arguments_ThatMakeNoSense_AreNamed(string problem, params string[] arguments)
    {
        Assert.True(OfflineArguments.IsMeant(arguments));
        Assert.False(OfflineArguments.TryParse(arguments, out _, out string error));
        Assert.Equal(problem, error);
    }

    [Fact]
    public void Progress_HalfWay_TellsRateAndRest() => Assert.Equal(
        "25.0 % of 400.0 MiB, 50.0 MiB/s, 00:00:06 left: writing wal/1.segment",
        ProgressLine.Text(new BackupProgress(100 << 20, 400 << 20, "writing wal/1.segment"), TimeSpan.FromSeconds(2)));

    private ExitCode Run(string[] arguments)
    {
        Assert.True(OfflineArguments.TryParse([.. arguments, "--state", State], out OfflineArguments parsed, out string error), error);
        BackupKey? key = BackupKeyFiles.Read(parsed.KeyFile, parsed.PassphraseFile, out string problem);
        Assert.Equal("", problem);
        ProgressLine progress = new(TextWriter.Null, false, TimeProvider.System);
        return new OfflineProgram(parsed, State, parsed.Store, key, _output, _errors, progress, TimeProvider.System, "1.2.3").Run(CancellationToken.None);
    }
}
