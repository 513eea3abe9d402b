using System.Net;
using NodeAgent.Aggregator.Remote;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Fuzz.Targets;

/// <summary>What another engine answers (first byte: which engine): samples in order, or an error that names the engine, and nothing else.</summary>
internal sealed class RemoteAnswerTarget : Engine.IFuzzTarget
{
    public string Name => "remote_answer";

    public IReadOnlyList<byte[]> Seeds { get; } =
    [
        [0, .. """{"status":"success","data":[{"__name__":"a_b","node":"n"}]}"""u8, (byte)'\n', .. """{"metric":{"__name__":"a_b","node":"n"},"values":[1,null,"NaN"],"timestamps":[1,2,3]}"""u8],
        [1, .. """{"results":[{"statement_id":0,"series":[{"name":"a","tags":{"node":"n","x":""},"columns":["time","b"],"values":[[1,1.5],[2,null]]}]}]}"""u8],
        [1, .. """{"results":[{"error":"no"}]}"""u8],
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return;
        }

        using HttpClient http = new(new Answering(input[1..].ToArray()));
        RemoteHttp asks = new(http, new Uri("http://engine:1"), null);
        IRemoteEngine engine = input[0] % 2 == 0 ? new VictoriaMetricsEngine(asks, "") : new InfluxqlEngine(asks, "db");
        RemoteStore store = new(engine, new MemoryStore(new MemoryStoreOptions()), 100_000);
        try
        {
            Selector selector = Selector.Parse("a_b");
            foreach (SeriesInfo series in store.Match(selector, 0, 10))
            {
                using ISampleReader reader = store.OpenReader();
                using SampleBuffer samples = new();
                reader.Read(series, 0, 10, samples);
                for (int i = 1; i < samples.Count; i++)
                {
                    Invariant.Holds(samples.Times[i] > samples.Times[i - 1], "samples come in order, each time once");
                }
            }
        }
        catch (QueryException e)
        {
            Invariant.Holds(e.Message.Length > 0, "a refusal has a reason");
        }
    }

    private sealed class Answering(byte[] answer) : HttpMessageHandler
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            new(HttpStatusCode.OK) { Content = new ByteArrayContent(answer) };

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(Send(request, cancellationToken));
    }
}
