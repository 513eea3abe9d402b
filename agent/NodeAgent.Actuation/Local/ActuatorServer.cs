using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Google.Protobuf;
using NodeAgent.Actuation.Ledger;
using NodeAgent.Commands.Policy;
using NodeAgent.Commands.Audit;
using NodeAgent.Commands.Envelope;
using NodeAgent.Commands.Local;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Local;

/// <summary>Why the server ended.</summary>
public enum ActuatorEnd
{
    /// <summary>It was told to.</summary>
    Stopped = 0,

    /// <summary>Nobody asked for a while, and nothing has to be put back.</summary>
    Idle = 1,

    /// <summary>A command never came back; only another process can act again.</summary>
    Stuck = 2,
}

/// <summary>What the server tells of itself; counted and logged by who hosts it.</summary>
public interface IActuatorWatch
{
    void Refused(uint? user);

    void Broken(string reason);

    void Ended(CommandAnswer answer);

    void PutBack(int settings);
}

/// <summary>
/// Serves the local socket: hands envelopes to the runner, which believes nobody, and answers who may ask. A connection has a thread of its
/// own and one request at a time; commands run one after the other whoever sent them.
/// </summary>
[SupportedOSPlatform("linux")]
[SuppressMessage("Design", "CA1001", Justification = "A semaphore without a wait handle holds nothing, and a thread in a hung call may come back to it.")]
public sealed class ActuatorServer(
    ActuatorIdentity identity, CommandLedger ledger, CommandRunner runner, ActuationPolicy policy, IAgentFacts facts, TimeProvider time, IActuatorWatch watch)
{
    /// <summary>The agent has one; a person or two may look.</summary>
    private const int MostConnections = 8;

    private const int MostAuditRecords = 256;
    private const int MostAuditBytes = 512 * 1024;
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan WriteEvery = TimeSpan.FromMinutes(1);

    /// <summary>A peer that neither asks nor goes is in the way of those who would.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly SemaphoreSlim _places = new(MostConnections);
    private int _open;
    private long _lastAsked;

    /// <summary>Serves until there is a reason to end. What was asked before that is answered.</summary>
    /// <param name="listener">Bound and listening.</param>
    /// <param name="mayAsk">Whether a user's processes may.</param>
    /// <param name="idle">Ends when nobody asked for this long; null: never.</param>
    /// <param name="stopping">Ends it.</param>
    public async Task<ActuatorEnd> RunAsync(Socket listener, Func<uint, bool> mayAsk, TimeSpan? idle, CancellationToken stopping)
    {
        _lastAsked = time.GetTimestamp();
        long writtenAt = _lastAsked;
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Task accepting = AcceptAsync(listener, mayAsk, end.Token);
        using PeriodicTimer timer = new(Beat, time);
        ActuatorEnd why = ActuatorEnd.Stopped;
        try
        {
            do
            {
                int put = await runner.RevertDueAsync(stopping).ConfigureAwait(false);
                if (put > 0) watch.PutBack(put);
                if (accepting.IsCompleted) await accepting.ConfigureAwait(false);
                if (time.GetElapsedTime(writtenAt) >= WriteEvery)
                {
                    ledger.WriteReported();
                    writtenAt = time.GetTimestamp();
                }

                why = runner.IsStuck ? ActuatorEnd.Stuck : IsIdle(idle) ? ActuatorEnd.Idle : ActuatorEnd.Stopped;
            }
            while (why == ActuatorEnd.Stopped && await timer.WaitForNextTickAsync(stopping).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            why = ActuatorEnd.Stopped;
        }

        await end.CancelAsync().ConfigureAwait(false);
        await accepting.ConfigureAwait(false);
        await SettleAsync().ConfigureAwait(false);
        ledger.WriteReported();
        return why;
    }

    private bool IsIdle(TimeSpan? idle) =>
        idle is { } limit && Volatile.Read(ref _open) == 0 && time.GetElapsedTime(Volatile.Read(ref _lastAsked)) >= limit
        && ledger.ActiveSettings().Count == 0 && ledger.Unfinished.Count == 0;

    private async Task AcceptAsync(Socket listener, Func<uint, bool> mayAsk, CancellationToken end)
    {
        try
        {
            while (true)
            {
                await _places.WaitAsync(end).ConfigureAwait(false);
                Socket connection = await listener.AcceptAsync(end).ConfigureAwait(false);
                uint? user = PeerCredentials.UserOf(connection);
                if (user is not { } known || !mayAsk(known))
                {
                    watch.Refused(user);
                    connection.Dispose();
                    _places.Release();
                    continue;
                }

                Interlocked.Increment(ref _open);
                new Thread(() => Serve(connection)) { Name = "actuator socket", IsBackground = true }.Start();
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // An orderly end: the caller goes on.
            return;
        }
    }

    private void Serve(Socket connection)
    {
        try
        {
            connection.ReceiveTimeout = connection.SendTimeout = (int)Patience.TotalMilliseconds;
            using NetworkStream stream = new(connection, ownsSocket: true);
            while (LocalFrame.TryRead(stream, ActuatorRequest.Parser, LocalFrame.MaxRequestBytes, out ActuatorRequest? request))
            {
                Volatile.Write(ref _lastAsked, time.GetTimestamp());
                LocalFrame.Write(stream, Answer(request, stream));
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException or SocketException)
        {
            watch.Broken(e.Message);
        }
        finally
        {
            Volatile.Write(ref _lastAsked, time.GetTimestamp());
            _places.Release();
            Interlocked.Decrement(ref _open); // last: the server ends only after it
        }
    }

    private ActuatorResponse Answer(ActuatorRequest request, Stream stream) => request.BodyCase switch
    {
        ActuatorRequest.BodyOneofCase.Run => new ActuatorResponse { Answer = Run(request.Run, stream) },
        ActuatorRequest.BodyOneofCase.Status => new ActuatorResponse { Status = Report() },
        ActuatorRequest.BodyOneofCase.Unreported => new ActuatorResponse { Unreported = Unreported() },
        ActuatorRequest.BodyOneofCase.Reported => Take(request.Reported),
        ActuatorRequest.BodyOneofCase.Audit => new ActuatorResponse { Audit = Page(request.Audit) },
        _ => new ActuatorResponse { Problem = "a request that this version does not know" },
    };

    private CommandAnswer Run(RunCommand run, Stream stream)
    {
        void Tell(CommandStage stage)
        {
            try
            {
                LocalFrame.Write(stream, new ActuatorResponse { Progress = new CommandProgress { CommandId = run.CommandId, Stage = stage } });
            }
            catch (IOException)
            {
                // Whoever asked is gone; the command goes on, and its result waits in the journal.
                return;
            }
        }

        CommandResult result = runner.RunAsync(run.Envelope.Memory, Tell).GetAwaiter().GetResult();
        CommandAnswer answer = new()
        {
            CommandId = run.CommandId,
            Result = result,
            Earlier = result.Refusal.Length > 0 && result.CommandId.Length == CommandEnvelope.IdBytes ? ledger.ResultOf(CommandEnvelope.ToGuid(result.CommandId)) : null,
            Head = AuditRecords.ToMessage(ledger.Head),
            HighestSequence = ledger.HighestSequence,
        };
        watch.Ended(answer);
        return answer;
    }

    private ActuatorReport Report() => new()
    {
        Available = true,
        Fleet = identity.Fleet,
        Node = identity.Node,
        Incarnation = ByteString.CopyFrom(identity.Incarnation),
        HighestSequence = ledger.HighestSequence,
        Policy = policy.Hash,
        Head = AuditRecords.ToMessage(ledger.Head),
        Settings = (uint)ledger.ActiveSettings().Count,
        Damage = ledger.Damage ?? "",
        Stuck = runner.IsStuck,
        BootId = facts.BootId,
    };

    private UnreportedResults Unreported()
    {
        UnreportedResults results = new() { Head = AuditRecords.ToMessage(ledger.Head), HighestSequence = ledger.HighestSequence };
        int bytes = 0;
        results.Results.AddRange(ledger.Unreported.TakeWhile(result => (bytes += result.CalculateSize()) < MostAuditBytes));
        return results;
    }

    private ActuatorResponse Take(ResultsReported reported)
    {
        ledger.Reported(reported);
        return new ActuatorResponse { Taken = new ActuatorResponse.Types.Taken() };
    }

    private AuditPage Page(AuditQuery query)
    {
        AuditPage page = new() { Head = AuditRecords.ToMessage(ledger.Head), Owner = CommandEnvelope.ToBytes(ledger.Owner) };
        int most = query.MaxRecords is 0 or > MostAuditRecords ? MostAuditRecords : (int)query.MaxRecords;
        int bytes = 0;
        ledger.ReadLinks(query.FromIndex, (index, type, link) =>
        {
            bytes += link.Length;
            if (page.Records.Count > 0 && bytes > MostAuditBytes) return false;
            page.Records.Add(AuditRecords.ToMessage(index, type, link));
            return page.Records.Count < most;
        });
        return page;
    }

    // What is being answered is answered. What hangs does not come: the process ends under it.
    private async Task SettleAsync()
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20), time);
        long since = time.GetTimestamp();
        while (Volatile.Read(ref _open) > 0 && time.GetElapsedTime(since) < TimeSpan.FromSeconds(1))
        {
            await timer.WaitForNextTickAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }
}
