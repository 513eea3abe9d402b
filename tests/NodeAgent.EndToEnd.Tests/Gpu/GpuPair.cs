using System.Diagnostics;
using System.Text.Json;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Gpu;

/// <summary>The real pair on fake GPUs and a fake kernel log, with what the fault tests ask of it.</summary>
internal sealed class GpuPair : IAsyncDisposable
{
    internal const string Node = "gpu-node";

    /// <summary>Short, so that a test need not wait for the default of ten; still far above what a busy machine adds to a call.</summary>
    internal static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(3);

    /// <summary>How long a test waits for what should come within seconds, on a machine that does much else.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ScratchFolder _folder;

    private GpuPair(ScratchFolder folder, FakeGpus gpus, FakeKernelLog kernelLog, LocalPair pair)
    {
        _folder = folder;
        Gpus = gpus;
        KernelLog = kernelLog;
        Pair = pair;
    }

    internal FakeGpus Gpus { get; }

    internal FakeKernelLog KernelLog { get; }

    internal LocalPair Pair { get; }

    /// <summary>Of the test; both programs' state is below it.</summary>
    internal string Folder => _folder.Path;

    /// <summary>Where orders to let go are written.</summary>
    internal string ReleaseDirectory => Path.Combine(_folder.Path, "release");

    internal static async Task<GpuPair> StartAsync(int count = 4, bool old = false, Action<FakeGpus>? prepare = null, bool withLibrary = true, Func<string, string[]>? aggregatorSettings = null)
    {
        ScratchFolder folder = new();
        FakeGpus? gpus = await FakeGpus.TryCreateAsync(Path.Combine(folder.Path, "gpus"), count, old);
        Assert.SkipWhen(gpus is null, "gcc is not installed, so there is no fake GPU to break");
        prepare?.Invoke(gpus!);
        if (!withLibrary)
        {
            File.Delete(gpus!.Library);
        }

        string release = Directory.CreateDirectory(Path.Combine(folder.Path, "release")).FullName;
        FakeKernelLog kernelLog = new(Path.Combine(folder.Path, "kmsg"));
        LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions
        {
            Folder = folder.Path,
            Node = Node,
            Address = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, LocalPair.FreePort()),
            AggregatorSettings = aggregatorSettings?.Invoke(folder.Path) ?? [],
            AgentSettings = [.. gpus!.AgentSettings, $"gpu.call_deadline={CallDeadline.TotalSeconds}s", $"sampling.kernel_log={kernelLog.Path}", $"gpu.release_directory={release}"],
        });
        return new GpuPair(folder, gpus, kernelLog, pair);
    }

    /// <summary>Values now, by a label.</summary>
    internal async Task<Dictionary<string, double>> ValuesAsync(string expression, string label = "gpu")
    {
        (int code, string output) = await Pair.CtlAsync("query", expression, "-o", "json");
        if (code != 0)
        {
            return [];
        }

        Dictionary<string, double> values = [];
        foreach (JsonElement item in JsonDocument.Parse(output).RootElement.GetProperty("items").EnumerateArray())
        {
            string key = item.GetProperty("labels").TryGetProperty(label, out JsonElement value) ? value.GetString()! : "";
            if (item.GetProperty("value").ValueKind == JsonValueKind.Number)
            {
                values[key] = item.GetProperty("value").GetDouble();
            }
        }

        return values;
    }

    internal async Task<double?> ValueAsync(string expression) => await ValuesAsync(expression, "no such label") is { Count: 1 } one ? one.Values.First() : null;

    /// <summary>Events of a kind so far, as JSON.</summary>
    internal async Task<List<JsonElement>> EventsAsync(string kind)
    {
        (int code, string output) = await Pair.CtlAsync("events", "-o", "json", "--limit", "1000");
        return code != 0 ? [] : [.. JsonDocument.Parse(output).RootElement.GetProperty("items").EnumerateArray().Where(item => item.GetProperty("kind").GetString() == kind)];
    }

    internal Task<JsonElement[]> WaitForEventsAsync(string kind, int count = 1) => Waiting.ForAsync($"{count} events {kind}", Patience, async () =>
        await EventsAsync(kind) is var found && found.Count >= count ? found.ToArray() : null);

    internal static string Attribute(JsonElement happened, string name) =>
        happened.GetProperty("attributes").TryGetProperty(name, out JsonElement value) ? value.GetString()! : "";

    /// <summary>Waits until exactly these GPUs have values that are not older than a few seconds.</summary>
    internal Task<object> WaitForReadingAsync(params string[] gpus) => Waiting.ForAsync($"readings of GPUs {string.Join(",", gpus)}", Patience, async () =>
    {
        // 5 s without a value and a 1 s series is stale, so what the query gives is fresh.
        Dictionary<string, double> values = await ValuesAsync($"gpu_memory_total_bytes{{node=\"{Node}\"}}");
        return values.Keys.Order().SequenceEqual(gpus.Order()) ? new object() : null;
    });

    /// <summary>
    /// The host's own ticks while something is done: none missed, and late by at most what the machine itself is, which the tick before the
    /// fault tells.
    /// </summary>
    internal async Task<HostTicks> WatchHostAsync()
    {
        double ticks = await ValueAsync("nodeagent_ticks_total") ?? throw new InvalidOperationException("no ticks");
        double skipped = await ValueAsync("nodeagent_skipped_beats_total") ?? 0;
        return new HostTicks(this, ticks, skipped, Stopwatch.StartNew());
    }

    /// <summary>Processes whose command line says that they are readers of this agent.</summary>
    internal int[] Readers()
    {
        List<int> readers = [];
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out int pid) && IsReader(pid))
            {
                readers.Add(pid);
            }
        }

        return [.. readers];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string key in new[] { "hang", "gpu.0.hang", "gpu.1.hang", "gpu.2.hang", "gpu.3.hang" })
        {
            Gpus.Set(key, null); // a reader that hangs ends by itself once it may
        }

        await Pair.DisposeAsync();
        KernelLog.Dispose();
        _folder.Dispose();
    }

    private bool IsReader(int pid)
    {
        try
        {
            string command = File.ReadAllText($"/proc/{pid}/cmdline");
            string parent = File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
            return command.Contains("gpu-reader", StringComparison.Ordinal) && parent == Pair.Agent!.Id.ToString();
        }
        catch (IOException)
        {
            return false; // ended in the meantime
        }
    }
}

/// <summary>See <see cref="GpuPair.WatchHostAsync"/>.</summary>
internal sealed record HostTicks(GpuPair Pair, double Ticks, double Skipped, Stopwatch Watch)
{
    /// <summary>The host was sampled all the while: every second, and at its beat.</summary>
    internal async Task AssertUndisturbedAsync()
    {
        double ticks = await Pair.ValueAsync("nodeagent_ticks_total") - Ticks ?? 0;
        double skipped = await Pair.ValueAsync("nodeagent_skipped_beats_total") - Skipped ?? double.NaN;
        double seconds = Watch.Elapsed.TotalSeconds;

        // Two ticks a second on a host with GPUs; asking takes a moment at both ends, and longer on a busy machine.
        bool isBusy = await IsMachineBusyAsync();
        Assert.True(ticks >= ((isBusy ? 1.5 : 2) * seconds) - 8, $"{ticks} ticks in {seconds:0.0} s");
        Assert.True(skipped == 0 || isBusy, $"{skipped} samplers' beats were missed in {seconds:0.0} s");
    }

    // A whole beat is lost also where the machine gives the agent no processor for a second; pressure tells it apart.
    private async Task<bool> IsMachineBusyAsync() => await Pair.ValueAsync("node_load1") > 4 * Environment.ProcessorCount;
}
