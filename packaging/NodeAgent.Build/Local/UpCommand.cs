using System.Net;
using System.Runtime.InteropServices;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Local;

/// <summary>
/// <c>./build.sh up</c>: the pair on this machine's real telemetry, with mutual TLS by a fleet made on the spot, and live readings
/// until Ctrl+C.
/// </summary>
internal static class UpCommand
{
    private static readonly TimeSpan ReadingInterval = TimeSpan.FromSeconds(5);

    internal static async Task<int> RunAsync(string[] arguments)
    {
        if (!TryParse(arguments, out TimeSpan? limit, out int port, out int fakeGpus, out string error))
        {
            Console.Error.WriteLine($"up: {error}; usage: ./build.sh up [--for 20s] [--port 7443] [--fake-gpus 8]");
            return 2;
        }

        using CancellationTokenSource stop = limit is { } duration ? new(duration) : new();
        using PosixSignalRegistration interrupt = OnSignal(PosixSignal.SIGINT, stop);
        using PosixSignalRegistration terminate = OnSignal(PosixSignal.SIGTERM, stop);
        string folder = Path.Combine(Repository.Root, ".run");
        Directory.CreateDirectory(folder);
        using LogFiles logs = new(folder);
        try
        {
            FakeGpus? gpus = fakeGpus == 0 ? null : await FakeGpus.TryCreateAsync(Path.Combine(folder, "fake-gpus"), fakeGpus).ConfigureAwait(false);
            if (fakeGpus > 0 && gpus is null)
            {
                Console.Error.WriteLine("up: --fake-gpus needs gcc, which is not installed");
                return 1;
            }

            await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions
            {
                Folder = folder,
                Node = Environment.MachineName.ToLowerInvariant() + (gpus is null ? "" : "-fake-gpus"),
                Address = new IPEndPoint(IPAddress.Loopback, port),
                AgentSettings = gpus?.AgentSettings ?? [],
                OnLine = logs.Write,
            }).ConfigureAwait(false);
            if (gpus is not null)
            {
                Console.WriteLine($"the {fakeGpus} GPUs are FAKE: tests/fake-nvml plays them, controlled by {Relative(folder)}/fake-gpus/fake-nvml.conf");
            }

            Introduce(pair, folder);
            await ShowReadingsAsync(pair, gpus is not null, stop.Token).ConfigureAwait(false);
            bool clean = await pair.StopAsync().ConfigureAwait(false);
            Console.WriteLine(clean ? "stopped" : $"stopped, but not cleanly; see {Relative(folder)}/*.log");
            return clean ? 0 : 1;
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static bool TryParse(string[] arguments, out TimeSpan? limit, out int port, out int fakeGpus, out string error)
    {
        limit = null;
        fakeGpus = 0;
        port = 7443;
        error = "";
        for (int i = 0; i < arguments.Length; i += 2)
        {
            string value = i + 1 < arguments.Length ? arguments[i + 1] : "";
            switch (arguments[i])
            {
                case "--for" when value.EndsWith('s') && double.TryParse(value[..^1], out double seconds) && seconds > 0:
                    limit = TimeSpan.FromSeconds(seconds);
                    break;
                case "--for" when value.EndsWith('m') && double.TryParse(value[..^1], out double minutes) && minutes > 0:
                    limit = TimeSpan.FromMinutes(minutes);
                    break;
                case "--port" when int.TryParse(value, out port) && port is >= 0 and <= 65535:
                    break;
                case "--fake-gpus" when int.TryParse(value, out fakeGpus) && fakeGpus is >= 0 and <= 32:
                    break;
                default:
                    error = arguments[i] is "--for" or "--port" or "--fake-gpus" ? $"{arguments[i]} does not take '{value}'" : $"unknown option '{arguments[i]}'";
                    return false;
            }
        }

        return true;
    }

    private static PosixSignalRegistration OnSignal(PosixSignal signal, CancellationTokenSource stop) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        });

    private static void Introduce(LocalPair pair, string folder)
    {
        string ctl = Path.GetRelativePath(Repository.Root, Path.ChangeExtension(Repository.CtlProgram, null));
        Console.WriteLine($"aggregator on https://{pair.Address}, agent connected; logs in {Relative(folder)}/aggregator.log and agent.log");
        Console.WriteLine("ask it yourself, in another terminal:");
        Console.WriteLine($"  export NODECTL_CONFIG={Relative(folder)}/nodectl.json");
        Console.WriteLine($"  {ctl} top");
        Console.WriteLine();
        File.WriteAllText(Path.Combine(folder, "nodectl.json"), CtlConfiguration(pair));
    }

    private static string CtlConfiguration(LocalPair pair)
    {
        IReadOnlyList<string> arguments = pair.CtlArguments;
        return $$"""
            {
              "current": "local",
              "profiles": {
                "local": {
                  "server": "{{arguments[1]}}",
                  "ca": "{{arguments[3]}}",
                  "cert": "{{arguments[5]}}",
                  "key": "{{arguments[7]}}"
                }
              }
            }

            """;
    }

    private static async Task ShowReadingsAsync(LocalPair pair, bool fakeGpus, CancellationToken stop)
    {
        // The first rates need two samples; the first table follows as soon as there is one.
        TimeSpan wait = TimeSpan.FromSeconds(2.5);
        while (!stop.IsCancellationRequested && !pair.Agent!.HasExited && !pair.Aggregator!.HasExited)
        {
            try
            {
                await Task.Delay(wait, TimeProvider.System, stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            (int code, string output) = await pair.CtlAsync("top", "--once").ConfigureAwait(false);
            Console.WriteLine(output);
            if (fakeGpus)
            {
                (_, string gpus) = await pair.CtlAsync("query", "topk(8, gpu_power_watts)").ConfigureAwait(false);
                Console.WriteLine("FAKE GPUs, watts:");
                Console.WriteLine(gpus);
            }

            Console.WriteLine();
            wait = code == 0 ? ReadingInterval : TimeSpan.FromSeconds(1);
        }
    }

    private static string Relative(string path) => Path.GetRelativePath(Repository.Root, path);

    /// <summary>One file a program, written line by line.</summary>
    private sealed class LogFiles(string folder) : IDisposable
    {
        private readonly Dictionary<string, StreamWriter> _files = [];

        public void Write(string program, string line)
        {
            lock (_files)
            {
                if (!_files.TryGetValue(program, out StreamWriter? file))
                {
                    file = new StreamWriter(Path.Combine(folder, program + ".log")) { AutoFlush = true };
                    _files[program] = file;
                }

                file.WriteLine(line);
            }
        }

        public void Dispose()
        {
            lock (_files)
            {
                foreach (StreamWriter file in _files.Values)
                {
                    file.Dispose();
                }

                _files.Clear();
            }
        }
    }
}
