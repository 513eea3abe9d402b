using System.Buffers;
using Microsoft.Extensions.Logging;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Hosting.Logs;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Aggregator.Sinks;

/// <summary>What a sink stands on.</summary>
/// <param name="Core">Whose log is read.</param>
/// <param name="MaxSeriesPerNode">As the store has it.</param>
/// <param name="Files">The disk of the cursor and the dead letters.</param>
/// <param name="Http">How the engine is reached; the sink does not dispose it.</param>
/// <param name="Time">Paces everything.</param>
/// <param name="Random">Jitter.</param>
/// <param name="Log">Where events go.</param>
internal sealed record SinkParts(
    IngestCore Core, int MaxSeriesPerNode, IFileOps Files, HttpClient Http, TimeProvider Time, Random Random, ILogger Log);

/// <summary>
/// Sends what comes in to another engine, out of the write-ahead log: one loop that reads, formats, sends and notes how far it is. It can
/// be as slow as it likes, ingest never waits for it; the log waits instead, up to a size. At least once: after a crash the last batches are
/// sent again, which engines take for what it is.
/// </summary>
internal sealed class Sink : IAsyncDisposable
{
    // How long the loop sleeps when it has read all that is durable: a part of the log's commit interval is not worth waking for.
    private static readonly TimeSpan IdleWait = TimeSpan.FromMilliseconds(100);

    private readonly SinkSettings _settings;
    private readonly SinkParts _parts;
    private readonly SinkEndpoint _endpoint;
    private readonly SinkCursor _cursor;
    private readonly DeadLetterLog _deadLetters;
    private readonly RepeatedEventGate _gate;
    private readonly CancellationTokenSource _stop = new();
    private readonly ArrayBufferWriter<byte> _lines = new(1 << 20);
    private Task _loop = Task.CompletedTask;
    private long _sentReceivedUnixMs;
    private long _skippedTold;
    private volatile bool _isFailing;

    private Sink(SinkSettings settings, SinkParts parts, SinkEndpoint endpoint, SinkCursor cursor, DeadLetterLog deadLetters)
    {
        _settings = settings;
        _parts = parts;
        _endpoint = endpoint;
        _cursor = cursor;
        _deadLetters = deadLetters;
        _gate = new RepeatedEventGate(parts.Log, parts.Time);
        parts.Core.LogReadFrom = () => _cursor.SentThrough + 1;
    }

    internal SinkCounters Counters { get; } = new();

    internal Uri Uri => _endpoint.Uri;

    /// <summary>Records of the log up to this one are dealt with, and that is on the disk.</summary>
    internal ulong SentThrough => _cursor.SentThrough;

    /// <summary>Ends when the sink is stopped; with a fault where it met a bug.</summary>
    internal Task Completion => _loop;

    /// <summary>The engine did not take the last request.</summary>
    internal bool IsFailing => _isFailing;

    /// <summary>Age of the oldest record that was not sent yet; zero: all that is durable was.</summary>
    internal TimeSpan Lag(long nowUnixMs) =>
        SentThrough >= _parts.Core.Wal.DurableId || Volatile.Read(ref _sentReceivedUnixMs) == 0
            ? TimeSpan.Zero
            : TimeSpan.FromMilliseconds(Math.Max(0, nowUnixMs - Volatile.Read(ref _sentReceivedUnixMs)));

    /// <summary>For the aggregator's status.</summary>
    internal V1.GetStatusResponse.Types.SinkStatus Status() => new()
    {
        Url = Uri.AbsoluteUri,
        Healthy = !IsFailing,
        LagMs = (ulong)Lag(_parts.Time.GetUtcNow().ToUnixTimeMilliseconds()).TotalMilliseconds,
        WaitingRecords = Math.Max(_parts.Core.Wal.DurableId, SentThrough) - SentThrough,
        SamplesTotal = (ulong)Counters.Samples,
        RequestsTotal = (ulong)Counters.Requests,
        SentBytesTotal = (ulong)Counters.SentBytes,
        RetriesTotal = (ulong)Counters.Retries,
        DeadLettersTotal = (ulong)Counters.DeadLetters,
        DeadLettersLostTotal = (ulong)Counters.DeadLettersLost,
        SkippedRecordsTotal = (ulong)Counters.SkippedRecords,
        UnreadableBlocksTotal = (ulong)Counters.UnreadableBlocks,
        RefusedSchemasTotal = (ulong)Counters.RefusedSchemas,
    };

    /// <summary>Its journals, for a backup.</summary>
    internal IReadOnlyList<(string Room, DurableLog Log)> Journals => [(StateRooms.Sink, _cursor.Log), (StateRooms.DeadLetters, _deadLetters.Log)];

    /// <summary>Null: there is none to be, or it cannot start, which is in the log.</summary>
    internal static Sink? TryOpen(SinkSettings settings, SinkParts parts)
    {
        if (settings.Kind == SinkKind.None)
        {
            return null;
        }

        if (SinkEndpoint.TryMake(settings, parts.Http, parts.Time, out string problem) is not { } endpoint)
        {
            parts.Log.SinkUnusable(problem);
            return null;
        }

        string state = parts.Core.Options.Directory;
        if (!SinkCursor.TryOpen(Path.Combine(state, StateRooms.Sink), parts.Core.Wal.Recovery.JournalId, endpoint.Identity, parts.Files, parts.Time, out SinkCursor? cursor, out OpenError? error))
        {
            parts.Log.SinkUnusable(error.Message);
            return null;
        }

        if (!DeadLetterLog.TryOpen(Path.Combine(state, StateRooms.DeadLetters), settings.DeadLettersMaxBytes, parts.Files, parts.Time, out DeadLetterLog? letters, out error))
        {
            cursor.Dispose();
            parts.Log.SinkUnusable(error.Message);
            return null;
        }

        return new Sink(settings, parts, endpoint, cursor, letters);
    }

    /// <summary>A client for engines: no proxy surprises, connections renewed so that a new address is found.</summary>
    internal static HttpClient Client(SinkSettings settings) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectTimeout = settings.Timeout,
    }) { Timeout = settings.Timeout };

    internal void Start()
    {
        _parts.Log.SinkStarted(Uri, SentThrough);
        _loop = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
        _cursor.Dispose();
        _deadLetters.Dispose();
    }

    private async Task RunAsync()
    {
        SinkSender sender = new(_endpoint, Counters, _deadLetters, _parts.Time, _parts.Random, OnTrouble);
        using LogFollower follower = new(_parts.Core.Wal, SentThrough, _parts.Core.Options, _parts.MaxSeriesPerNode, Counters);
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                int samples = await GatherAsync(follower, _stop.Token).ConfigureAwait(false);
                if (samples > 0)
                {
                    await sender.SendAsync(_lines.WrittenMemory, samples, _stop.Token).ConfigureAwait(false);
                    OnSent(follower);
                }

                Advance(follower);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return; // what was not sent is in the log
        }
    }

    /// <summary>Fills a batch: until it is full, or its first sample is old enough, or nothing came for a while.</summary>
    private async Task<int> GatherAsync(LogFollower follower, CancellationToken cancellation)
    {
        _lines.ResetWrittenCount();
        int samples = 0;
        long start = _parts.Time.GetTimestamp();
        while (samples < _settings.BatchSamples)
        {
            if (follower.TryTake(_lines, out int more))
            {
                samples += more;
                continue;
            }

            bool isOver = _parts.Time.GetElapsedTime(start) >= _settings.BatchInterval;
            if (isOver)
            {
                break;
            }

            await Task.Delay(IdleWait, _parts.Time, cancellation).ConfigureAwait(false);
        }

        return samples;
    }

    private void Advance(LogFollower follower)
    {
        if (follower.LookedAt > SentThrough)
        {
            Volatile.Write(ref _sentReceivedUnixMs, follower.ReceivedUnixMs);
            _ = _cursor.TryAdvance(follower.LookedAt); // if not now, a restart sends more again; the next batch tries anew
        }

        long skipped = Counters.SkippedRecords;
        if (skipped > _skippedTold)
        {
            _parts.Log.SinkSkipped(skipped - _skippedTold);
            _skippedTold = skipped;
        }
    }

    private void OnSent(LogFollower follower)
    {
        if (_isFailing)
        {
            _isFailing = false;
            _parts.Log.SinkWorks(TimeSpan.FromMilliseconds(Math.Max(0, _parts.Time.GetUtcNow().ToUnixTimeMilliseconds() - follower.ReceivedUnixMs)));
        }
    }

    private void OnTrouble(SinkReply reply, TimeSpan wait)
    {
        if (reply.Verdict is SinkVerdict.Bad or SinkVerdict.TooLarge)
        {
            if (_gate.IsFirst(nameof(SinkLog.SinkDeadLetters), ""))
            {
                _parts.Log.SinkDeadLetters(reply.Reason);
            }

            return;
        }

        if (!_isFailing)
        {
            _isFailing = true;
            _parts.Log.SinkFails(reply.Reason, wait);
        }
    }
}
