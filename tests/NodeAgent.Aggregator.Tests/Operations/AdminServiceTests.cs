using Grpc.Core;
using NodeAgent.Aggregator.Operations;
using NodeAgent.Aggregator.Tests.Ingest;
using NodeAgent.Aggregator.Tests.Query;
using NodeAgent.Contracts.Identity;
using NodeAgent.Tsdb.Backup;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Operations;

/// <summary>Backups of an aggregator that works, as an administrator asks for them.</summary>
public sealed class AdminServiceTests : IDisposable
{
    private const string Directory = "/safe";

    private readonly IntakeBench _bench = new();
    private readonly FakeContext _caller = new("me", FleetRole.Admin, CancellationToken.None);

    public AdminServiceTests()
    {
        _bench.Taken(_bench.Agent.Schema(1, "s", "temp"));
        for (int i = 0; i < 20; i++)
        {
            _bench.Taken(i == 0 ? _bench.Agent.Key((1, [20])) : _bench.Agent.Frame((1, [20 + i])));
        }
    }

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Backup_OfARunningAggregator_IsSoundAndHasWhatWasTaken(bool directory)
    {
        FakeResponses<BackupUpdate> updates = new();
        await Service(new BackupSettings { Directory = Directory }).Backup(new BackupRequest { Name = "b1", Directory = directory }, updates, _caller);
        BackupUpdate last = updates.All[^1];
        BackupResult done = last.Done;
        Assert.Equal(($"{Directory}/b1", false), (done.Path, done.Encrypted));
        Assert.Equal(last.TotalBytes, done.Bytes);
        Assert.Equal(_bench.Ingest.Core.Wal.LastId, done.LogId);

        using BackupView view = BackupView.Open(_bench.Ingest.Disk, done.Path, null);
        StateReport report = StateCheck.Run(view, TimeProvider.System, new Progress<BackupProgress>(), CancellationToken.None);
        Assert.Empty(report.Findings);
        using StateOnDisk state = StateOnDisk.Open(view, TimeProvider.System);
        JournalSummary wal = Assert.Single(StateInspection.Of(state).Journals, journal => journal.Name == "wal");
        Assert.Equal((done.LogId + 1, done.LogId), (wal.NextId, wal.Records));
    }

    [Fact]
    public async Task Backup_WithoutAName_IsCalledByTheTime()
    {
        FakeResponses<BackupUpdate> updates = new();
        await Service(new BackupSettings { Directory = Directory }).Backup(new BackupRequest(), updates, _caller);
        Assert.Matches(@"^/safe/\d{8}T\d{6}Z$", updates.All[^1].Done.Path);
    }

    [Theory]
    [InlineData("../b", StatusCode.InvalidArgument)]
    [InlineData(".hidden", StatusCode.InvalidArgument)]
    [InlineData("a/b", StatusCode.InvalidArgument)]
    public async Task Backup_ThatWouldLeaveItsFolder_IsRefused(string name, StatusCode code)
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() =>
            Service(new BackupSettings { Directory = Directory }).Backup(new BackupRequest { Name = name }, new FakeResponses<BackupUpdate>(), _caller));
        Assert.Equal(code, refused.StatusCode);
    }

    [Fact]
    public async Task Backup_WithoutAFolder_IsRefused()
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() =>
            Service(new BackupSettings()).Backup(new BackupRequest(), new FakeResponses<BackupUpdate>(), _caller));
        Assert.Equal((StatusCode.FailedPrecondition, "this aggregator has no backup.directory"), (refused.StatusCode, refused.Status.Detail));
    }

    [Fact]
    public async Task Backup_WhoseKeyCannotBeRead_IsRefusedRatherThanWrittenInTheClear()
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() =>
            Service(new BackupSettings { Directory = Directory, KeyFile = "/nowhere/key" }).Backup(new BackupRequest(), new FakeResponses<BackupUpdate>(), _caller));
        Assert.Equal(StatusCode.FailedPrecondition, refused.StatusCode);
        Assert.DoesNotContain(_bench.Ingest.Disk.Paths, path => path.StartsWith(Directory, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Backup_UnderATakenName_IsRefused()
    {
        AdminService service = Service(new BackupSettings { Directory = Directory });
        await service.Backup(new BackupRequest { Name = "b1" }, new FakeResponses<BackupUpdate>(), _caller);
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => service.Backup(new BackupRequest { Name = "b1" }, new FakeResponses<BackupUpdate>(), _caller));
        Assert.Equal(StatusCode.AlreadyExists, refused.StatusCode);
    }

    private AdminService Service(BackupSettings settings) => new(settings, _bench.Ingest.Core, CommitNow, [], _bench.Ingest.Disk, _bench.Time, "1.2.3");

    private void CommitNow(Action callback)
    {
        Assert.True(_bench.Ingest.Core.Commit());
        callback();
    }
}
