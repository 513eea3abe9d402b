using System.Globalization;

namespace NodeAgent.Sampling.Inventory;

/// <summary>/proc/cpuinfo: blocks of <c>key : value</c> lines, one per logical processor. Keys differ by architecture.</summary>
internal static class CpuinfoParser
{
    public static CpuinfoReading Parse(string text)
    {
        CpuinfoReading reading = new();
        HashSet<string> sockets = [];
        HashSet<(string, string)> cores = [];
        string socket = "";
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            int colon = line.IndexOf(':');
            if (colon < 0)
            {
                continue;
            }

            string value = line[(colon + 1)..].Trim().ToString();
            switch (line[..colon].Trim())
            {
                case "processor":
                    reading.Threads++;
                    break;
                case "model name" when reading.Model.Length == 0:
                    reading.Model = value;
                    reading.NamedHertz = HertzIn(value);
                    break;
                case "vendor_id" when reading.Vendor.Length == 0:
                    reading.Vendor = value;
                    break;
                case "CPU implementer" when reading.Vendor.Length == 0:
                    reading.Vendor = value == "0x41" ? "ARM" : value == "0x4e" ? "NVIDIA" : value; // arch/arm64/include/asm/cputype.h
                    break;
                case "physical id":
                    socket = value;
                    sockets.Add(value);
                    break;
                case "core id":
                    cores.Add((socket, value));
                    break;
                case "flags":
                    reading.HasHypervisor |= value.Split(' ').Contains("hypervisor");
                    break;
            }
        }

        reading.Sockets = (uint)sockets.Count;
        reading.Cores = (uint)cores.Count;
        return reading;
    }

    private static ulong HertzIn(string model)
    {
        int at = model.LastIndexOf("@ ", StringComparison.Ordinal);
        ReadOnlySpan<char> speed = at < 0 ? default : model.AsSpan(at + 2).Trim();
        return speed.EndsWith("GHz") && decimal.TryParse(speed[..^3], NumberStyles.AllowDecimalPoint, null, out decimal gigahertz) && gigahertz < 100
            ? (ulong)(gigahertz * 1_000_000_000)
            : 0;
    }
}

/// <summary>What /proc/cpuinfo says about all processors together; 0 and "" where it does not.</summary>
internal sealed class CpuinfoReading
{
    public string Model { get; set; } = "";

    public string Vendor { get; set; } = "";

    public uint Sockets { get; set; }

    public uint Cores { get; set; }

    public uint Threads { get; set; }

    /// <summary>The frequency in the model's name ("@ 2.50GHz"); not the present one, which changes all the time.</summary>
    public ulong NamedHertz { get; set; }

    /// <summary>The processor says that a hypervisor is below (CPUID leaf 1, ECX bit 31).</summary>
    public bool HasHypervisor { get; set; }
}
