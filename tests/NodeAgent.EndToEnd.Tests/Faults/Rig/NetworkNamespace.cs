using System.Net;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>
/// A network of its own for one agent: a namespace with a veth pair to the host, on which the kernel can lose, delay and cut for real.
/// Carries the test process's id in its name; gone on disposal, and swept by the next run if this one is killed.
/// </summary>
internal sealed class NetworkNamespace : IDisposable
{
    private static int _made;

    private readonly int _number;

    private NetworkNamespace(int number)
    {
        _number = number;
        Name = $"{Sweep.NamePrefix}{number}";

        // Interface names have 15 characters at most.
        Outer = $"naf{Environment.ProcessId % 100_000}o{number}";
        Inner = $"naf{Environment.ProcessId % 100_000}i{number}";
    }

    internal string Name { get; }

    /// <summary>The host's end of the pair.</summary>
    internal string Outer { get; }

    /// <summary>The namespace's end.</summary>
    internal string Inner { get; }

    internal IPAddress HostAddress => IPAddress.Parse($"10.213.{_number % 250}.1");

    /// <summary>The host's second address on the pair.</summary>
    internal IPAddress OtherHostAddress => IPAddress.Parse($"10.213.{_number % 250}.3");

    /// <summary>Starts a program inside.</summary>
    internal Launcher Launcher => Launcher.With("ip", "netns", "exec", Name);

    /// <summary>Makes one, or skips the test with what is missing; tried for real, because rights and kernels differ.</summary>
    internal static NetworkNamespace MakeOrSkip(params string[] tools)
    {
        Sweep.Once();
        foreach (string tool in (string[])["ip", .. tools])
        {
            Assert.SkipUnless(Tool.TryRun(out _, "sh", "-c", $"PATH=$PATH:/usr/sbin:/sbin command -v {tool}"), $"{tool} is not installed");
        }

        NetworkNamespace made = new(Interlocked.Increment(ref _made));
        try
        {
            made.Create();
            return made;
        }
        catch (InvalidOperationException e)
        {
            made.Dispose();
            Assert.Skip($"no network namespaces here: {e.Message.Trim()}");
            throw;
        }
    }

    /// <summary>Runs a tool inside; it must succeed.</summary>
    internal string Run(string tool, params string[] arguments) => Tool.Run("ip", ["netns", "exec", Name, tool, .. arguments]);

    /// <summary>Loses everything both ways, without a word: a pulled cable somewhere on the way.</summary>
    internal void DropAll() => Drop("");

    /// <summary>Loses only what the agent sends, or only what it would receive.</summary>
    internal void DropOutgoing(string match = "") => Rules($"add chain inet fault out {{ type filter hook output priority 0; }}; add rule inet fault out {match} drop");

    internal void DropIncoming(string match = "") => Rules($"add chain inet fault in {{ type filter hook input priority 0; }}; add rule inet fault in {match} drop");

    /// <summary>Loses what matches (nft), both ways.</summary>
    internal void Drop(string match) => Rules(
        $"add chain inet fault out {{ type filter hook output priority 0; }}; add chain inet fault in {{ type filter hook input priority 0; }}; "
        + $"add rule inet fault out {match} drop; add rule inet fault in {match} drop");

    /// <summary>Ends every loss.</summary>
    internal void Heal() => Rules("");

    public void Dispose()
    {
        // Deleting one end of the pair deletes both; processes inside, if any, keep only their loopback.
        Tool.TryRun(out _, "ip", "link", "del", Outer);
        Tool.TryRun(out _, "ip", "netns", "del", Name);
    }

    private void Create()
    {
        Tool.Run("ip", "netns", "add", Name);
        Tool.Run("ip", "link", "add", Outer, "type", "veth", "peer", "name", Inner, "netns", Name);
        Tool.Run("ip", "addr", "add", $"{HostAddress}/29", "dev", Outer);
        Tool.Run("ip", "addr", "add", $"{OtherHostAddress}/29", "dev", Outer);
        Tool.Run("ip", "link", "set", Outer, "up");
        Tool.Run("ip", "-n", Name, "addr", "add", $"10.213.{_number % 250}.2/29", "dev", Inner);
        Tool.Run("ip", "-n", Name, "link", "set", Inner, "up");
        Tool.Run("ip", "-n", Name, "link", "set", "lo", "up");
    }

    private void Rules(string rules) => Run("nft", $"add table inet fault; flush table inet fault; delete table inet fault; add table inet fault; {rules}");
}
