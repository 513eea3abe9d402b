using System.Globalization;
using System.Text.Json;
using NodeAgent.Actuation.Host;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>
/// Sending rate of an interface: one token bucket at its root (tc-tbf(8)), under a handle of our own, so that nobody else's is ever replaced
/// or deleted. The interface that people and aggregators come in by is only slowed down for a short time, because who cuts off the way in
/// cannot take it back from outside.
/// </summary>
/// <param name="tools">Starts tc and ip.</param>
/// <param name="paths">Where they are.</param>
/// <param name="management">Further interfaces that must not be cut off, besides those of the default routes.</param>
public sealed class NetworkRateActuator(Tools tools, HostPaths paths, IReadOnlyCollection<string> management) : IActuator
{
    private const string Handle = "7a0:";
    private const string KernelHandle = "0:"; // what the kernel puts there by itself
    private const string NoLimit = "default";
    private const ulong MinManagementBits = 1_000_000;
    private const ulong MinBurstBytes = 32 * 1024; // a few large segments; less and offloads stall
    private static readonly TimeSpan MaxManagementTtl = TimeSpan.FromMinutes(10);

    public Command.ActionOneofCase Action => Command.ActionOneofCase.NetworkRateLimit;

    public Preparation Prepare(Command command, CancellationToken deadline)
    {
        string name = command.NetworkRateLimit.Interface;
        Root? root = ReadRoot(name, deadline, out string problem);
        if (root is null) return new([new Precondition("interface-exists", false, problem)]);

        bool isFree = root.Handle == KernelHandle || root.IsOurs;
        string? cutOff = CutOff(command, deadline);
        return new(
        [
            new Precondition("interface-exists", true, name),
            new Precondition("root-free", isFree, $"the root is {root.Kind} {root.Handle}"),
            new Precondition("not-cut-off", cutOff is null, cutOff ?? "the way in stays open"),
        ],
        new UndoPlan
        {
            Target = $"network-rate/{name}",
            Steps = { new UndoStep { Key = name, Value = root.IsOurs ? root.Bits.ToString(CultureInfo.InvariantCulture) : NoLimit } },
        });
    }

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline) =>
        Limit(command.NetworkRateLimit.Interface, command.NetworkRateLimit.BitsPerSecond, deadline);

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline) =>
        VerifyRate(command.NetworkRateLimit.Interface, command.NetworkRateLimit.BitsPerSecond, deadline);

    public StepResult Undo(UndoPlan plan, CancellationToken deadline)
    {
        (string name, string value) = (plan.Steps[0].Key, plan.Steps[0].Value);
        Root? root = ReadRoot(name, deadline, out string problem);
        if (root is null) return deadline.IsCancellationRequested ? StepResult.Bad(problem) : StepResult.Good("the interface is gone, and its limit with it");
        if (!root.IsOurs) return StepResult.Good($"the root is {root.Kind} {root.Handle}: not ours, nothing to put back");
        if (value != NoLimit)
        {
            ulong bits = ulong.Parse(value, CultureInfo.InvariantCulture);
            StepResult limited = Limit(name, bits, deadline);
            return limited.Ok ? VerifyRate(name, bits, deadline) : limited;
        }

        ToolResult deleted = tools.Run(paths.Tc, ["qdisc", "del", "dev", name, "root"], deadline);
        if (!deleted.Ok) return StepResult.Bad(deleted.Problem("tc qdisc del"));
        return ReadRoot(name, deadline, out problem) is { IsOurs: false } after ? StepResult.Good($"the root is {after.Kind} again") : StepResult.Bad($"the limit is still there {problem}");
    }

    private StepResult Limit(string name, ulong bits, CancellationToken deadline)
    {
        ulong burst = Math.Max(MinBurstBytes, bits / 8 / 100); // ten milliseconds' worth
        ToolResult result = tools.Run(
            paths.Tc,
            ["qdisc", "replace", "dev", name, "root", "handle", Handle, "tbf", "rate", $"{bits}bit", "burst", burst.ToString(CultureInfo.InvariantCulture), "latency", "50ms"],
            deadline);
        return result.Ok ? StepResult.Good($"{name} sends at most {bits} bit/s") : StepResult.Bad(result.Problem("tc qdisc replace"));
    }

    private StepResult VerifyRate(string name, ulong bits, CancellationToken deadline) =>
        ReadRoot(name, deadline, out string problem) is { } root
            ? root.IsOurs && root.Bits == bits / 8 * 8 ? StepResult.Good($"reads back as {root.Bits} bit/s") : StepResult.Bad($"the root is {root.Kind} {root.Handle} with {root.Bits} bit/s")
            : StepResult.Bad(problem);

    private string? CutOff(Command command, CancellationToken deadline)
    {
        string name = command.NetworkRateLimit.Interface;
        ToolResult routes = tools.Run(paths.Ip, ["-j", "route", "show", "default"], deadline);
        if (!routes.Ok) return $"whether it is the way in cannot be told: {routes.Problem("ip route")}";
        bool isManagement = management.Contains(name) || DevicesOf(routes.Text).Contains(name);
        if (!isManagement) return null;
        if (command.TtlMs == 0 || command.TtlMs > MaxManagementTtl.TotalMilliseconds) return $"{name} is the way in: ttl_ms of at most {MaxManagementTtl.TotalMilliseconds} is wanted";
        return command.NetworkRateLimit.BitsPerSecond < MinManagementBits ? $"{name} is the way in: at least {MinManagementBits} bit/s is wanted" : null;
    }

    private Root? ReadRoot(string name, CancellationToken deadline, out string problem)
    {
        ToolResult result = tools.Run(paths.Tc, ["-j", "qdisc", "show", "dev", name], deadline);
        problem = result.Ok ? "" : result.Problem("tc qdisc show");
        if (!result.Ok) return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(result.Output);
            foreach (JsonElement entry in document.RootElement.EnumerateArray())
            {
                if (!entry.TryGetProperty("root", out _)) continue;
                string kind = entry.GetProperty("kind").GetString() ?? "";
                // tc prints bytes per second.
                ulong bits = kind == "tbf" && entry.GetProperty("options").TryGetProperty("rate", out JsonElement rate) ? rate.GetUInt64() * 8 : 0;
                return new Root(kind, entry.GetProperty("handle").GetString() ?? "", bits);
            }

            return new Root("none", KernelHandle, 0);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            problem = $"tc answers what cannot be read: {e.Message}";
            return null;
        }
    }

    private static HashSet<string> DevicesOf(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json.Length == 0 ? "[]" : json);
        return [.. document.RootElement.EnumerateArray().Select(route => route.TryGetProperty("dev", out JsonElement device) ? device.GetString() ?? "" : "")];
    }

    private sealed record Root(string Kind, string Handle, ulong Bits)
    {
        internal bool IsOurs => Kind == "tbf" && Handle == NetworkRateActuator.Handle;
    }
}
