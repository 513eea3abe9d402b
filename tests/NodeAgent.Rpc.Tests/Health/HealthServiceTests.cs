using Grpc.Core;
using Grpc.Health.V1;
using NodeAgent.Rpc.Server.Health;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace NodeAgent.Rpc.Tests.Health;

public sealed class HealthServiceTests
{
    [Fact]
    public async Task Check_KnownAndUnknown_AnswersStateOrNotFound()
    {
        HealthService health = new();
        await using RpcHost host = await RpcHost.StartAsync(configure: server => server.AddHealth(health));
        Grpc.Health.V1.Health.HealthClient client = new(host.Channel());
        Assert.Equal(ServingStatus.Serving, (await client.CheckAsync(new HealthCheckRequest())).Status);
        health.Set("a.B", ServingStatus.NotServing);
        Assert.Equal(ServingStatus.NotServing, (await client.CheckAsync(new HealthCheckRequest { Service = "a.B" })).Status);
        RpcException e = await Assert.ThrowsAsync<RpcException>(
            async () => await client.CheckAsync(new HealthCheckRequest { Service = "a.C" }));
        Assert.Equal(StatusCode.NotFound, e.StatusCode);
    }

    [Fact]
    public async Task Watch_Changes_TellsNowAndEachChange()
    {
        HealthService health = new();
        await using RpcHost host = await RpcHost.StartAsync(configure: server => server.AddHealth(health));
        Grpc.Health.V1.Health.HealthClient client = new(host.Channel());
        using AsyncServerStreamingCall<HealthCheckResponse> call = client.Watch(new HealthCheckRequest { Service = "a.B" });
        Assert.Equal(ServingStatus.ServiceUnknown, await NextAsync(call));
        health.Set("a.B", ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, await NextAsync(call));
        health.Set("other", ServingStatus.Serving);
        health.Set("a.B", ServingStatus.Serving);
        health.Set("a.B", ServingStatus.NotServing);
        Assert.Equal(ServingStatus.NotServing, await NextAsync(call));
    }

    [Fact]
    public async Task Watch_ThousandsOfChanges_MissesNone()
    {
        const int Changes = 2_000;
        HealthService health = new();
        await using RpcHost host = await RpcHost.StartAsync(configure: server => server.AddHealth(health));
        AsyncServerStreamingCall<HealthCheckResponse>[] calls =
            [.. Enumerable.Range(0, 4).Select(_ => new Grpc.Health.V1.Health.HealthClient(host.Channel()).Watch(new HealthCheckRequest()))];
        ServingStatus expected = ServingStatus.Serving;
        for (int i = 0; i <= Changes; i++)
        {
            // The last watcher's answer has only just left: its handler is caught anywhere between that and its next wait.
            Task<ServingStatus>[] next = [.. calls.Select(NextAsync)];
            Assert.All(await Task.WhenAll(next), one => Assert.Equal(expected, one));
            expected = expected == ServingStatus.Serving ? ServingStatus.NotServing : ServingStatus.Serving;
            health.Set("", expected);
        }

        Array.ForEach(calls, call => call.Dispose());
    }

    [Fact]
    public async Task Watch_ServerDrains_TellsNotServingAndEnds()
    {
        HealthService health = new();
        await using RpcHost host = await RpcHost.StartAsync(configure: server => server.AddHealth(health));
        Grpc.Health.V1.Health.HealthClient client = new(host.Channel());
        using AsyncServerStreamingCall<HealthCheckResponse> call = client.Watch(new HealthCheckRequest());
        Assert.Equal(ServingStatus.Serving, await NextAsync(call));
        host.Server.Drain();
        Assert.Equal(ServingStatus.NotServing, await NextAsync(call));
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext())).StatusCode);
        health.Set("", ServingStatus.Serving);
        Assert.Equal(ServingStatus.NotServing, health.Get(""));
    }

    private static async Task<ServingStatus> NextAsync(AsyncServerStreamingCall<HealthCheckResponse> call)
    {
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(RpcHost.Patience));
        return call.ResponseStream.Current.Status;
    }
}
