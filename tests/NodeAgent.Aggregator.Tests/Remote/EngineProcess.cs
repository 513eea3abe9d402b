using System.Net;
using System.Net.Sockets;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Aggregator.Tests.Remote;

/// <summary>Debian's VictoriaMetrics or InfluxDB as a process on a loopback port, with a data folder of its own. Can be killed and started again.</summary>
internal sealed class EngineProcess : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("engine-").FullName;
    private readonly Func<string, int, (string File, string[] Arguments, string HealthPath)> _command;
    private RealProcess? _process;

    private EngineProcess(Func<string, int, (string, string[], string)> command)
    {
        _command = command;
        using Socket probe = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Port = ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    internal int Port { get; }

    internal Uri Url => new($"http://127.0.0.1:{Port}");

    /// <summary>Skips the test, loudly, where the program is not installed.</summary>
    internal static async Task<EngineProcess> VictoriaMetricsAsync(string pathPrefix = "")
    {
        Require("victoria-metrics");
        EngineProcess engine = new((folder, port) => (
            "victoria-metrics", [$"-storageDataPath={folder}", $"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y", "-loggerLevel=ERROR", $"-http.pathPrefix={pathPrefix}"],
            pathPrefix + "/health"));
        await engine.StartAsync();
        return engine;
    }

    internal static async Task<EngineProcess> InfluxdbAsync()
    {
        Require("influxd");
        EngineProcess engine = new((folder, port) =>
        {
            string file = Path.Combine(folder, "influxdb.conf");
            File.WriteAllText(file, $"""
                reporting-disabled = true
                bind-address = "127.0.0.1:0"
                [meta]
                  dir = "{folder}/meta"
                [data]
                  dir = "{folder}/data"
                  wal-dir = "{folder}/wal"
                [http]
                  bind-address = "127.0.0.1:{port}"
                  log-enabled = false
                [monitor]
                  store-enabled = false
                """);
            return ("influxd", ["-config", file], "/ping");
        });
        await engine.StartAsync();
        return engine;
    }

    internal async Task StartAsync()
    {
        (string file, string[] arguments, string health) = _command(_folder, Port);
        _process = RealProcess.Start(file, file, arguments);
        using HttpClient http = new() { Timeout = TimeSpan.FromSeconds(1) };
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        while (true)
        {
            try
            {
                using HttpResponseMessage answer = await http.GetAsync(new Uri(Url, health), limit.Token);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                // Not listening yet; the timer's limit ends this.
            }

            Assert.True(await timer.WaitForNextTickAsync(limit.Token), string.Join('\n', _process.Lines));
        }
    }

    internal async Task StopAsync()
    {
        Assert.True(await _process!.StopAsync(TimeSpan.FromSeconds(20)), "the engine stops");
        _process.Dispose();
        _process = null;
    }

    /// <summary>Sends a form and gives the answer's text.</summary>
    internal async Task<string> PostAsync(string path, params (string Key, string Value)[] form)
    {
        using HttpClient http = new();
        using FormUrlEncodedContent content = new(form.Select(pair => KeyValuePair.Create(pair.Key, pair.Value)));
        using HttpResponseMessage answer = await http.PostAsync(new Uri(Url, path), content);
        return await answer.Content.ReadAsStringAsync();
    }

    public ValueTask DisposeAsync()
    {
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static void Require(string program)
    {
        bool isThere = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
        if (!isThere)
        {
            Assert.Skip($"{program} is not installed: apt-get install {(program == "influxd" ? "influxdb" : program)}");
        }
    }
}
