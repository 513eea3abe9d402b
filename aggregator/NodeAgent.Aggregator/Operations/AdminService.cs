using System.Globalization;
using System.Threading.Channels;
using Grpc.Core;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb.Backup;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Operations;

/// <summary>The gRPC side of operations: checks what is asked for, runs it on a thread of its own, streams how far it is.</summary>
/// <param name="settings">Where backups go.</param>
/// <param name="core">What is backed up.</param>
/// <param name="afterCommit">Calls back once what was taken before is on the disk, or the disk has refused it.</param>
/// <param name="extra">As <see cref="StateCut.Of"/>.</param>
/// <param name="files">The disk of all of it.</param>
/// <param name="time">Names backups and paces progress.</param>
/// <param name="version">The aggregator's.</param>
internal sealed class AdminService(
    BackupSettings settings, IngestCore core, Action<Action> afterCommit, IReadOnlyList<(string Room, DurableLog Log)> extra, IFileOps files,
    TimeProvider time, string version) : Admin.AdminBase
{
    private const int MaxNameLength = 200;

    private static readonly TimeSpan UpdateInterval = TimeSpan.FromMilliseconds(500);

    private int _isWriting;

    /// <inheritdoc/>
    public override async Task Backup(BackupRequest request, IServerStreamWriter<BackupUpdate> responses, ServerCallContext context)
    {
        BackupOptions options = Plan(request);
        if (Interlocked.Exchange(ref _isWriting, 1) != 0)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, "another backup is being written"));
        }

        try
        {
            await RunAsync(options, responses, context.CancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _isWriting, 0);
        }
    }

    private BackupOptions Plan(BackupRequest request)
    {
        if (settings.Directory is not { } directory)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, "this aggregator has no backup.directory"));
        }

        DateTimeOffset now = time.GetUtcNow();
        string name = request.Name.Length > 0 ? request.Name : now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        if (name.Length > MaxNameLength || name[0] == '.' || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
        {
            throw new RpcException(new Status(
                StatusCode.InvalidArgument, $"a backup's name has letters, digits, dots, dashes and underscores, at most {MaxNameLength}, and does not begin with a dot"));
        }

        BackupKey? key = BackupKeyFiles.Read(settings.KeyFile, settings.PassphraseFile, out string problem);
        if (problem.Length > 0)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, problem)); // never fall back to writing in the clear
        }

        if (request.Linked && (!request.Directory || key is not null))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "linked is for directories, and not where backups are encrypted"));
        }

        return new BackupOptions
        {
            Target = Path.Combine(directory, name),
            IsSingleFile = !request.Directory,
            IsLinked = request.Linked,
            Key = key,
            Program = $"aggregator {version}",
            NowUnixMs = now.ToUnixTimeMilliseconds(),
        };
    }

    private async Task RunAsync(BackupOptions options, IServerStreamWriter<BackupUpdate> responses, CancellationToken cancellation)
    {
        TaskCompletionSource committed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        afterCommit(committed.SetResult);
        await committed.Task.WaitAsync(cancellation).ConfigureAwait(false);

        // The newest update replaces one that waits: a slow reader never holds the work up.
        Channel<BackupUpdate> updates = Channel.CreateBounded<BackupUpdate>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        Task<BackupIndex> work = Task.Factory.StartNew(
            () => Write(options, updates.Writer, cancellation), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await foreach (BackupUpdate update in updates.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            await responses.WriteAsync(update, cancellation).ConfigureAwait(false);
        }

        BackupIndex index = await work.ConfigureAwait(false);
        BackupUpdate last = new() { DoneBytes = (ulong)index.TotalBytes, TotalBytes = (ulong)index.TotalBytes, Done = Result(options, index) };
        await responses.WriteAsync(last, cancellation).ConfigureAwait(false);
    }

    private BackupIndex Write(BackupOptions options, ChannelWriter<BackupUpdate> updates, CancellationToken cancellation)
    {
        try
        {
            using BackupCut cut = StateCut.Of(core, extra, files);
            return BackupWriter.Write(files, cut, options, new PacedProgress(updates, time), cancellation);
        }
        catch (BackupException e)
        {
            throw new RpcException(new Status(e.Failure switch
            {
                BackupFailure.InTheWay => StatusCode.AlreadyExists,
                BackupFailure.InUse => StatusCode.FailedPrecondition,
                _ => StatusCode.Unavailable,
            }, e.Message));
        }
        finally
        {
            updates.Complete();
        }
    }

    private static BackupResult Result(BackupOptions options, BackupIndex index) => new()
    {
        Path = options.Target,
        Files = (uint)index.Entries.Count,
        Bytes = (ulong)index.TotalBytes,
        LogId = index.LogId,
        Encrypted = options.Key is not null,
    };

    private sealed class PacedProgress(ChannelWriter<BackupUpdate> updates, TimeProvider time) : IProgress<BackupProgress>
    {
        private long _last;

        public void Report(BackupProgress value)
        {
            if (_last != 0 && time.GetElapsedTime(_last) < UpdateInterval)
            {
                return;
            }

            _last = time.GetTimestamp();
            updates.TryWrite(new BackupUpdate { DoneBytes = (ulong)value.DoneBytes, TotalBytes = (ulong)value.TotalBytes, Activity = value.File });
        }
    }
}
