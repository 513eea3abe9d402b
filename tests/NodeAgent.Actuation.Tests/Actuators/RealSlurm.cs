using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using NodeAgent.Actuation.Host;

namespace NodeAgent.Actuation.Tests.Actuators;

/// <summary>Debian's real munged, slurmctld and slurmd on free ports of the loopback, with one node n1.</summary>
internal sealed class RealSlurm : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("slurm-").FullName;
    private readonly List<Process> _processes = [];

    /// <summary>Null: they can be started. Else what is missing.</summary>
    internal static string? Missing =>
        !File.Exists("/usr/sbin/slurmctld") || !File.Exists("/usr/sbin/slurmd") || !File.Exists("/usr/sbin/munged") || !File.Exists("/usr/bin/scontrol")
            ? "slurmctld, slurmd and munge are not installed (apt-get install slurmctld slurmd slurm-client munge)"
            : Steps.Uid != 0 ? "slurmd starts for root only" : null;

    internal Tools Tools => new("/usr/bin/env", $"SLURM_CONF={Conf}");

    private string Conf => Path.Combine(_folder, "slurm.conf");

    internal void Start()
    {
        File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string key = Path.Combine(_folder, "munge.key");
        File.WriteAllBytes(key, RandomNumberGenerator.GetBytes(64));
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Directory.CreateDirectory(Path.Combine(_folder, "state"));
        Directory.CreateDirectory(Path.Combine(_folder, "spool"));
        File.WriteAllText(Conf, Configuration());
        string socket = Path.Combine(_folder, "munge.sock");
        Run("/usr/sbin/munged", "--foreground", "--force", $"--socket={socket}", $"--key-file={key}", $"--pid-file={_folder}/munge.pid", $"--log-file={_folder}/munge.log", $"--seed-file={_folder}/munge.seed");
        WaitFor(() => File.Exists(socket), "munged's socket");
        Run("/usr/sbin/slurmctld", "-D", "-f", Conf);
        Run("/usr/sbin/slurmd", "-D", "-N", "n1", "-f", Conf);
        WaitFor(() => Show().Contains("State=IDLE ", StringComparison.Ordinal), "an idle node");
    }

    /// <summary>What Slurm says of the node.</summary>
    internal string Show() => Scontrol("show", "node", "n1", "--oneliner").Text;

    internal ToolResult Scontrol(params string[] arguments) => Tools.Run("/usr/bin/scontrol", arguments, Steps.Deadline());

    public void Dispose()
    {
        // The node's daemon first: it says goodbye to the other.
        foreach (Process process in Enumerable.Reverse(_processes))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private void Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        Process process = Process.Start(start)!;
        process.BeginErrorReadLine(); // read and thrown away: its own log files have it too
        process.BeginOutputReadLine();
        _processes.Add(process);
    }

    private static void WaitFor(Func<bool> happened, string what)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!happened())
        {
            if (watch.Elapsed > StartLimit) throw new TimeoutException($"{what} did not come");
#pragma warning disable RS0030 // a real process is waited for
            Thread.Sleep(100);
#pragma warning restore RS0030
        }
    }

    private static string FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }

    private string Configuration() => $"""
        ClusterName=test
        SlurmctldHost=localhost
        SlurmUser=root
        SlurmdUser=root
        AuthType=auth/munge
        AuthInfo=socket={_folder}/munge.sock
        CredType=cred/munge
        SlurmctldPort={FreePort()}
        SlurmdPort={FreePort()}
        StateSaveLocation={_folder}/state
        SlurmdSpoolDir={_folder}/spool
        SlurmctldPidFile={_folder}/slurmctld.pid
        SlurmdPidFile={_folder}/slurmd.pid
        SlurmctldLogFile={_folder}/slurmctld.log
        SlurmdLogFile={_folder}/slurmd.log
        ProctrackType=proctrack/pgid
        TaskPlugin=task/none
        MpiDefault=none
        SwitchType=switch/none
        SelectType=select/linear
        ReturnToService=2
        NodeName=n1 NodeHostname=localhost CPUs=1
        PartitionName=p Nodes=n1 Default=YES
        """;
}
