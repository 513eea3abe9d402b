using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using NodeAgent.Aggregator.Commands;
using NodeAgent.Rpc;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Sends a stream's answers: from the thread that reads the agent's messages, after commits, and once a second. One at a time, because a
/// response stream takes one message at a time.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore without a wait handle holds nothing, and a commit may look at it after the stream has ended.")]
internal sealed class LinkSession : ICommandOutlet
{
    private readonly LinkStream _stream;
    private readonly IServerStreamWriter<LinkAnswerBox> _responses;
    private readonly CommitLoop _commits;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _end;
    private readonly LinkAnswerBox _box = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly Action _onCommitted;
    private TaskCompletionSource? _afterCommit;
    private bool _hasTaken; // a message came since the last look; a race costs one look
    private int _isWaiting;

    internal LinkSession(
        LinkStream stream, IServerStreamWriter<LinkAnswerBox> responses, CommitLoop commits, TimeProvider time, CancellationTokenSource end)
    {
        _stream = stream;
        _responses = responses;
        _commits = commits;
        _time = time;
        _end = end;
        _onCommitted = OnCommitted;
    }

    internal LinkStream Stream => _stream;

    /// <summary>A message was taken: sends what is due, and sees to what will be.</summary>
    internal ValueTask AfterTakeAsync()
    {
        _hasTaken = true;
        _commits.Signal();
        WaitForCommit();
        return FlushAsync();
    }

    /// <summary>Has something sent that is not about records; from any thread.</summary>
    public void Offer(AggregatorMessage message)
    {
        _stream.Offer(message);
        _ = PushAfterOtherAsync();
    }

    /// <summary>Sends what has become due by time alone. A stream on which messages arrive is looked at with each of them.</summary>
    internal void PushIfQuiet()
    {
        if (_hasTaken)
        {
            _hasTaken = false;
            return;
        }

        Push();
    }

    /// <summary>Sends what is due, if nobody else is at it.</summary>
    internal void Push()
    {
        if (_writing.Wait(0, CancellationToken.None))
        {
            _ = PushAsync();
        }
    }

    /// <summary>Completes when the agent has been told of everything it sent.</summary>
    internal async Task SettleAsync()
    {
        _stream.CompleteRequests();
        while (true)
        {
            TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref _afterCommit, next);
            await FlushAsync().ConfigureAwait(false);
            if (_stream.IsSettled)
            {
                return;
            }

            WaitForCommit();
            await next.Task.WaitAsync(_end.Token).ConfigureAwait(false);
        }
    }

    /// <summary>The stream must end now, whatever its handler waits for.</summary>
    internal async Task EndAsync()
    {
        try
        {
            await _end.CancelAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // It ended by itself in this moment, which is all that was wanted.
            return;
        }
    }

    /// <summary>Completes when nothing is being sent any more; nothing will be: the right to write is not given back.</summary>
    internal async Task StopAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        await _writing.WaitAsync(CancellationToken.None).ConfigureAwait(false);
    }

    // The common case, an idle writer and nothing to wait for, takes no state machine.
    private ValueTask FlushAsync()
    {
        if (!_writing.Wait(0, CancellationToken.None))
        {
            return new ValueTask(FlushAfterOtherAsync());
        }

        bool isNothingDue = !_stream.TryNextAnswer(Moment.Of(_time), out LinkAnswer answer);
        if (isNothingDue)
        {
            _writing.Release();
            return ValueTask.CompletedTask;
        }

        return new ValueTask(SendAllAsync(answer));
    }

    private async Task FlushAfterOtherAsync()
    {
        await _writing.WaitAsync(_end.Token).ConfigureAwait(false);
        if (_stream.TryNextAnswer(Moment.Of(_time), out LinkAnswer answer))
        {
            await SendAllAsync(answer).ConfigureAwait(false);
        }
        else
        {
            _writing.Release();
        }
    }

    // Whoever is at it may have looked before the offer came, so it is looked at again afterwards.
    private async Task PushAfterOtherAsync()
    {
        try
        {
            await FlushAfterOtherAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or IOException or InvalidOperationException)
        {
            // The connection is gone; the stream's handler, which reads, is told so too and says it.
            return;
        }
    }

    private async Task SendAllAsync(LinkAnswer answer)
    {
        try
        {
            do
            {
                _box.Answer = answer;
                await _responses.SendAsync(_box, _end.Token).ConfigureAwait(false);
            }
            while (_stream.TryNextAnswer(Moment.Of(_time), out answer));
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task PushAsync()
    {
        try
        {
            if (_stream.TryNextAnswer(Moment.Of(_time), out LinkAnswer answer))
            {
                await SendAllAsync(answer).ConfigureAwait(false);
            }
            else
            {
                _writing.Release();
            }
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or IOException or InvalidOperationException)
        {
            // The connection is gone; the stream's handler, which reads, is told so too and says it.
            return;
        }
    }

    private void WaitForCommit()
    {
        if (_stream.WantsCommit && Interlocked.Exchange(ref _isWaiting, 1) == 0)
        {
            _commits.CallAfterCommit(_onCommitted);
        }
    }

    private void OnCommitted()
    {
        Volatile.Write(ref _isWaiting, 0);
        Push();
        Volatile.Read(ref _afterCommit)?.TrySetResult();
        WaitForCommit(); // for what came while the disk was busy
    }
}
