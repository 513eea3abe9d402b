using System.Threading.Channels;
using Grpc.Core;

namespace NodeAgent.Aggregator.Tests.Query;

/// <summary>What a streaming handler wrote.</summary>
internal sealed class FakeResponses<T> : IServerStreamWriter<T>
    where T : class
{
    private readonly Channel<T> _channel = Channel.CreateUnbounded<T>();

    public WriteOptions? WriteOptions { get; set; }

    internal List<T> All
    {
        get
        {
            List<T> all = [];
            while (_channel.Reader.TryRead(out T? one))
            {
                all.Add(one);
            }

            return all;
        }
    }

    internal async Task<T> NextAsync() => await _channel.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _channel.Writer.TryWrite(message);
        return Task.CompletedTask;
    }
}
