using System.IO.Compression;
using System.Net;

namespace NodeAgent.Aggregator.Tests.Sinks;

/// <summary>An engine that answers as it is told and remembers what it took.</summary>
internal sealed class ScriptedEngine : HttpMessageHandler
{
    private readonly Lock _lock = new();
    private readonly List<LinePoint> _points = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Says what to answer to lines; null: takes them.</summary>
    internal Func<IReadOnlyList<LinePoint>, HttpResponseMessage?> Answer { get; set; } = _ => null;

    internal List<HttpRequestMessage> Requests { get; } = [];

    internal IReadOnlyList<LinePoint> Points
    {
        get
        {
            lock (_lock)
            {
                return [.. _points];
            }
        }
    }

    internal static HttpResponseMessage Status(HttpStatusCode status, string text = "", int? retryAfterSeconds = null)
    {
        HttpResponseMessage response = new(status) { Content = new StringContent(text) };
        if (retryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = new System.Net.Http.Headers.RetryConditionHeaderValue(TimeSpan.FromSeconds(seconds));
        }

        return response;
    }

    /// <summary>Until something holds of what was asked and taken.</summary>
    internal async Task UntilAsync(Func<bool> holds)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (holds())
                {
                    return;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(TimeSpan.FromSeconds(20));
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        byte[] body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
        using GZipStream gzip = new(new MemoryStream(body), CompressionMode.Decompress);
        using MemoryStream lines = new();
        await gzip.CopyToAsync(lines, cancellationToken);
        List<LinePoint> points = LinePoint.Parse(lines.ToArray());
        lock (_lock)
        {
            Requests.Add(request);
            HttpResponseMessage? answer = Answer(points);
            if (answer is null)
            {
                _points.AddRange(points);
            }

            _changed.TrySetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return answer ?? Status(HttpStatusCode.NoContent);
        }
    }
}
