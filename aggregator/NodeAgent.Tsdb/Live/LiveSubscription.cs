using System.Runtime.InteropServices;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Tsdb.Live;

/// <summary>
/// A live stream of samples. Writers put into a bounded ring and never wait for the reader: when it is full, the oldest sample
/// makes room and is counted. One reader.
/// </summary>
public sealed class LiveSubscription : IDisposable
{
    private readonly Lock _gate = new();
    private readonly LiveSample[] _ring;
    private readonly Action<LiveSubscription> _onDispose;
    private readonly Dictionary<SeriesInfo, int> _indices = [];
    private readonly SemaphoreSlim _available = new(0, 1);
    private int _first;
    private int _count;
    private long _lost;
    private bool _signalled;
    private bool _disposed;

    internal LiveSubscription(Selector selector, LiveOptions options, Action<LiveSubscription> onDispose)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Capacity, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.MinIntervalMs);
        Selector = selector;
        MinIntervalMs = options.MinIntervalMs;
        _ring = new LiveSample[options.Capacity];
        _onDispose = onDispose;
    }

    public Selector Selector { get; }

    internal int MinIntervalMs { get; }

    /// <summary>Waits until there is something to drain, or the cancellation.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="ObjectDisposedException">Disposed.</exception>
    public ValueTask WaitAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_count > 0)
            {
                return ValueTask.CompletedTask;
            }
        }

        return WaitForSignalAsync(cancellation);
    }

    /// <summary>Moves the oldest waiting samples into the buffer. Does not wait.</summary>
    /// <param name="into">Filled from the front; its length bounds the batch.</param>
    /// <param name="lost">Samples dropped since the last call because the ring was full. They are older than any that follow.</param>
    /// <returns>How many samples were moved; 0: none waits.</returns>
    public int Drain(Span<LiveSample> into, out long lost)
    {
        lock (_gate)
        {
            lost = _lost;
            _lost = 0;
            int moved = Math.Min(into.Length, _count);
            for (int i = 0; i < moved; i++)
            {
                into[i] = _ring[_first];
                _ring[_first] = default;
                _first = _first + 1 == _ring.Length ? 0 : _first + 1;
            }

            _count -= moved;
            return moved;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        bool wake;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _count = 0;
            Array.Clear(_ring);
            wake = !_signalled;
            _signalled = true;
        }

        _onDispose(this);
        if (wake)
        {
            _available.Release();
        }
    }

    /// <summary>The index of a series: a new one when it joins, the same when another schema brings it again. Under the registration lock.</summary>
    internal int IndexOf(SeriesInfo series)
    {
        ref int index = ref CollectionsMarshal.GetValueRefOrAddDefault(_indices, series, out bool known);
        if (!known)
        {
            index = _indices.Count - 1;
        }

        return index;
    }

    /// <summary>Puts the present values of one row into the ring.</summary>
    internal void Offer(LiveTap tap, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present)
    {
        bool wake;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            tap.CopyInto(this, unixMs, values, present);
            wake = _count > 0 && !_signalled;
            _signalled |= wake;
        }

        if (wake)
        {
            _available.Release();
        }
    }

    /// <summary>Adds one sample; the gate is held.</summary>
    internal void PushNeedsLock(in LiveSample sample)
    {
        if (_count == _ring.Length)
        {
            _first = _first + 1 == _ring.Length ? 0 : _first + 1;
            _count--;
            _lost++;
        }

        int at = _first + _count;
        _ring[at >= _ring.Length ? at - _ring.Length : at] = sample;
        _count++;
    }

    private async ValueTask WaitForSignalAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await _available.WaitAsync(cancellation).ConfigureAwait(false);
            lock (_gate)
            {
                _signalled = false;
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (_count > 0)
                {
                    return;
                }
            }
        }
    }
}
