using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Scheduling;
using Label = NodeAgent.Contracts.Series.Label;

namespace NodeAgent.Agent.Tests.Spool.Durable;

/// <summary>
/// A synthetic GPU host of 400 series: 16 processors, memory, disks, network and 8 GPUs under a training job that computes, exchanges and now and
/// then writes a checkpoint. No capture of a real one, but of its shape: units and scales as docs/metrics.md has them, busy counters,
/// levels with noise, and a third that seldom moves.
/// </summary>
internal sealed class SyntheticHost
{
    private readonly Random _random;
    private readonly List<(string Sampler, SeriesTable Table, TimeSpan Interval, Action<SeriesTable> Sample)> _samplers = [];
    private readonly Dictionary<string, double[]> _state = [];
    private long _second;

    internal SyntheticHost(int seed)
    {
        _random = new Random(seed);
        AddCpu();
        AddMemory();
        AddDisks();
        AddNetwork();
        AddGpus();
        AddRest();
    }

    internal int Series => _samplers.Sum(sampler => sampler.Table.Count);

    /// <summary>The tables that are due at this second, with their values.</summary>
    internal IEnumerable<(string Sampler, SeriesTable Table, TimeSpan Interval)> Tick()
    {
        foreach ((string sampler, SeriesTable table, TimeSpan interval, Action<SeriesTable> sample) in _samplers)
        {
            if (_second % (long)interval.TotalSeconds == 0)
            {
                table.ClearValues();
                sample(table);
                yield return (sampler, table, interval);
            }
        }

        _second++;
    }

    // Every 40 s a step of the job ends: the GPUs idle for a moment while gradients go round; a checkpoint every 20 minutes.
    private bool Exchanges => _second % 40 >= 37;

    private bool WritesCheckpoint => _second % 1200 < 25;

    private void AddCpu() => Add("cpu", 1, table =>
    {
        string[] modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
        for (int cpu = 0; cpu < 16; cpu++)
        {
            foreach (string mode in modes)
            {
                table.Add(MetricDefinition.Counter("node_cpu_seconds_total", "seconds", 100, "Synthetic.", "cpu", "mode"), new Label("cpu", $"{cpu}"), new Label("mode", mode));
            }
        }
    }, (table, values) =>
    {
        for (int cpu = 0; cpu < 16; cpu++)
        {
            int left = 100;
            int user = cpu < 8 ? 60 + _random.Next(30) : _random.Next(12);
            Step(cpu * 8, user, ref left);
            Step(cpu * 8 + 2, _random.Next(6), ref left);
            Step(cpu * 8 + 4, WritesCheckpoint ? _random.Next(9) : 0, ref left);
            Step(cpu * 8 + 6, _random.Next(8) == 0 ? 1 : 0, ref left);
            values[cpu * 8 + 3] += Math.Max(0, left) / 100.0;
        }

        void Step(int column, int hundredths, ref int left)
        {
            values[column] += hundredths / 100.0;
            left -= hundredths;
        }
    });

    private void AddMemory() => Add("memory", 1, table =>
    {
        for (int i = 0; i < 44; i++)
        {
            table.Add(MetricDefinition.Gauge($"node_memory_Field{i}_bytes", "bytes", 1, "Synthetic."));
        }
    }, (_, values) =>
    {
        for (int i = 0; i < 44; i++)
        {
            // A third wander by pages, the others stand still but for a rare change.
            values[i] += i % 3 == 0 ? (_random.Next(2001) - 1000) * 4096.0 : _random.Next(300) == 0 ? (_random.Next(21) - 10) * 4096.0 : 0;
        }
    });

    private void AddDisks() => Add("disk", 1, table =>
    {
        string[] fields = ["reads_completed", "reads_merged", "read_bytes", "read_time_seconds", "writes_completed", "writes_merged", "written_bytes", "write_time_seconds", "io_time_seconds", "io_time_weighted_seconds"];
        foreach (string device in (string[])["nvme0n1", "nvme1n1", "nvme2n1", "dm-0"])
        {
            foreach (string field in fields)
            {
                table.Add(MetricDefinition.Counter($"node_disk_{field}_total", field.EndsWith("seconds", StringComparison.Ordinal) ? "seconds" : "", field.EndsWith("seconds", StringComparison.Ordinal) ? 1000u : 1u, "Synthetic.", "device"), new Label("device", device));
            }
        }
    }, (_, values) =>
    {
        for (int device = 0; device < 4; device++)
        {
            int writes = WritesCheckpoint ? 400 + _random.Next(300) : _random.Next(3) == 0 ? _random.Next(20) : 0;
            int reads = device == 1 ? 50 + _random.Next(40) : 0;
            values[device * 10] += reads;
            values[device * 10 + 2] += reads * 131_072.0;
            values[device * 10 + 3] += reads * 0.001;
            values[device * 10 + 4] += writes;
            values[device * 10 + 5] += writes / 4;
            values[device * 10 + 6] += writes * 4096.0 * (1 + _random.Next(30));
            values[device * 10 + 7] += writes * 0.002;
            values[device * 10 + 8] += Math.Min(1, (writes + reads) * 0.001);
            values[device * 10 + 9] += (writes + reads) * 0.002;
        }
    });

    private void AddNetwork() => Add("network", 1, table =>
    {
        string[] fields = ["receive_bytes", "receive_packets", "receive_errs", "receive_drop", "transmit_bytes", "transmit_packets", "transmit_errs", "transmit_drop"];
        foreach (string device in (string[])["eth0", "ib0", "ib1", "lo"])
        {
            foreach (string field in fields)
            {
                table.Add(MetricDefinition.Counter($"node_network_{field}_total", "", 1, "Synthetic.", "device"), new Label("device", device));
            }
        }
    }, (_, values) =>
    {
        for (int device = 0; device < 4; device++)
        {
            double packets = device is 1 or 2 ? (Exchanges ? 900_000 + _random.Next(50_000) : _random.Next(4_000)) : 20 + _random.Next(60);
            double size = device is 1 or 2 ? 4096 : 100 + _random.Next(400);
            values[device * 8] += packets * size;
            values[device * 8 + 1] += packets;
            values[device * 8 + 4] += Math.Floor(packets * 0.98) * size;
            values[device * 8 + 5] += Math.Floor(packets * 0.98);
            values[device * 8 + 3] += _random.Next(5000) == 0 ? 1 : 0;
        }
    });

    private void AddGpus() => Add("gpu", 1, table =>
    {
        (string Name, string Unit, uint Scale, bool IsCounter)[] fields =
        [
            ("utilization_ratio", "ratio", 100, false), ("memory_utilization_ratio", "ratio", 100, false), ("memory_used_bytes", "bytes", 1, false),
            ("power_watts", "watts", 1000, false), ("energy_joules_total", "joules", 1000, true), ("temperature_celsius", "celsius", 1, false),
            ("memory_temperature_celsius", "celsius", 1, false), ("sm_clock_hertz", "hertz", 1, false), ("memory_clock_hertz", "hertz", 1, false),
            ("ecc_corrected_total", "", 1, true), ("pcie_replay_total", "", 1, true), ("throttle_reasons", "", 1, false),
        ];
        for (int gpu = 0; gpu < 8; gpu++)
        {
            foreach ((string name, string unit, uint scale, bool isCounter) in fields)
            {
                MetricDefinition metric = isCounter
                    ? MetricDefinition.Counter("gpu_" + name, unit, scale, "Synthetic.", "gpu")
                    : MetricDefinition.Gauge("gpu_" + name, unit, scale, "Synthetic.", "gpu");
                table.Add(metric, new Label("gpu", $"{gpu}"));
            }
        }
    }, (_, values) =>
    {
        for (int gpu = 0; gpu < 8; gpu++)
        {
            Span<double> own = values.AsSpan(gpu * 12, 12);
            double load = Exchanges ? 0.35 : 0.96;
            double watts = Math.Round((Exchanges ? 320 : 655) + (_random.NextDouble() * 24) - 12, 3);
            own[0] = Math.Round(load + (_random.Next(5) / 100.0), 2);
            own[1] = Math.Round(load * 0.6 + (_random.Next(6) / 100.0), 2);
            own[2] = 74_000_000_000 + (_second / 1200 % 3 * 2_097_152);
            own[3] = watts;
            own[4] += watts;
            own[5] = 62 + gpu % 3 + (Exchanges ? 0 : 2) + (_random.Next(6) == 0 ? 1 : 0);
            own[6] = 78 + gpu % 4 + (_random.Next(8) == 0 ? 1 : 0);
            own[7] = Exchanges ? 1_980_000_000 : 1_755_000_000 + (_random.Next(3) * 15_000_000);
            own[8] = 2_619_000_000;
            own[9] += _random.Next(100_000) == 0 ? 1 : 0;
            own[11] = _random.Next(15) == 0 ? 4 : 0;
        }
    });

    private void AddRest()
    {
        Add("vmstat", 1, table =>
        {
            for (int i = 0; i < 30; i++)
            {
                table.Add(MetricDefinition.Counter($"node_vmstat_field{i}_total", "", 1, "Synthetic."));
            }
        }, (_, values) =>
        {
            for (int i = 0; i < 30; i++)
            {
                values[i] += i % 3 == 0 ? _random.Next(5_000) : i % 3 == 1 && _random.Next(20) == 0 ? _random.Next(100) : 0;
            }
        });
        Add("load", 1, table =>
        {
            for (int i = 0; i < 10; i++)
            {
                table.Add(MetricDefinition.Gauge($"node_load_field{i}", "", 100, "Synthetic."));
            }
        }, (_, values) =>
        {
            for (int i = 0; i < 10; i++)
            {
                values[i] = Math.Max(0, Math.Round(values[i] + ((_random.Next(21) - 10) / 100.0), 2));
            }
        });
        Add("filesystem", 30, table =>
        {
            for (int i = 0; i < 20; i++)
            {
                table.Add(MetricDefinition.Gauge("node_filesystem_bytes", "bytes", 1, "Synthetic.", "field"), new Label("field", $"{i}"));
            }
        }, (_, values) =>
        {
            for (int i = 0; i < 20; i++)
            {
                values[i] += i % 5 == 0 ? _random.Next(100) * 4096.0 : 0;
            }
        });
    }

    private void Add(string sampler, int seconds, Action<SeriesTable> describe, Action<SeriesTable, double[]> step)
    {
        SeriesTable table = new();
        describe(table);
        double[] values = _state[sampler] = new double[table.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = 1_000_000 + (i * 4096);
        }

        _samplers.Add((sampler, table, TimeSpan.FromSeconds(seconds), t =>
        {
            step(t, values);
            for (int i = 0; i < values.Length; i++)
            {
                t.Set(i, values[i]);
            }
        }));
    }
}
