using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Rdma;

/// <summary>Which network interface is the same port as an InfiniBand or RoCE port.</summary>
internal static class RdmaTopology
{
    /// <summary>
    /// The interface's name, or "". The port's GID table names it where there is one (gid_attrs/ndevs); else it is the interface
    /// on the same PCI function whose dev_port is the port, counted from 0.
    /// </summary>
    /// <param name="rdmaDevice">Full path of the device's class folder.</param>
    /// <param name="port">The port's number, as its folder is called.</param>
    public static string NetworkInterface(string rdmaDevice, string port)
    {
        string table = Path.Combine(rdmaDevice, "ports", port, "gid_attrs/ndevs");
        foreach (string entry in Sysfs.Names(table))
        {
            string name = Sysfs.ReadText(Path.Combine(table, entry));
            if (name.Length > 0)
            {
                return name;
            }
        }

        IReadOnlyList<string> interfaces = Sysfs.Names(Path.Combine(rdmaDevice, "device/net"));
        foreach (string name in interfaces)
        {
            string devicePort = Sysfs.ReadText(Path.Combine(rdmaDevice, "device/net", name, "dev_port"));
            if (int.TryParse(devicePort, out int fromZero) && int.TryParse(port, out int fromOne) && fromZero + 1 == fromOne)
            {
                return name;
            }
        }

        return interfaces.Count == 1 ? interfaces[0] : "";
    }
}
