using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using NodeAgent.Commands;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Signing;

/// <summary>
/// From what somebody typed to the payload of each node. The ids are worked out here from the names, so that an aggregator that lies about
/// them gets commands that nobody takes.
/// </summary>
internal sealed class CommandBuilder
{
    /// <summary>Clocks differ; a window that begins a little earlier costs nothing.</summary>
    private static readonly TimeSpan ClockMargin = TimeSpan.FromMinutes(1);

    private readonly V1.Command _template;

    private CommandBuilder(V1.Command template, CommandDescription description) => (_template, Description) = (template, description);

    internal CommandDescription Description { get; }

    /// <summary>Reads a kind and its parameters, like "gpu_power_limit" and "milliwatts=400000".</summary>
    /// <exception cref="CtlException">There is no such command or parameter, or a value is out of its bounds.</exception>
    internal static CommandBuilder Read(string kind, IReadOnlyList<string> settings)
    {
        CommandDescription description = Find(kind);
        V1.Command template = new();
        FieldDescriptor field = V1.Command.Descriptor.FindFieldByName(kind);
        IMessage action = field.MessageType.Parser.ParseFrom(ByteString.Empty);
        foreach (string setting in settings)
        {
            Set(action, field.MessageType, setting);
        }

        field.Accessor.SetValue(template, action);
        foreach (ParameterDescription parameter in description.Parameters)
        {
            if (parameter.Problem(template) is { } problem) throw CtlException.Usage($"cannot run {kind}", problem, $"`nodectl commands {kind}` lists its parameters");
        }

        return new CommandBuilder(template, description);
    }

    internal V1.Command Template => _template;

    /// <exception cref="CtlException">There is no such command.</exception>
    internal static CommandDescription Find(string kind) => CommandCatalogue.TryFind(kind, out CommandDescription? description)
        ? description
        : throw CtlException.Usage(
            $"cannot find '{kind}'", "there is no such command",
            Nearest.Question(kind, [.. CommandCatalogue.All.Select(row => row.Name)]) ?? "`nodectl commands` lists them");

    /// <summary>The payload for one node.</summary>
    internal V1.Command For(CommandTarget target, CommandFrame frame, PrepareResponse prepared)
    {
        V1.Command command = _template.Clone();
        DateTimeOffset at = DateTimeOffset.FromUnixTimeMilliseconds(prepared.WallUnixMs);

        // A later wave's window begins when its turn can come at the earliest, so that all of it is left then.
        long begins = prepared.WallUnixMs + ((long)target.Wave * prepared.SoakMs) - (long)ClockMargin.TotalMilliseconds;
        command.CommandId = CommandEnvelope.ToBytes(CommandEnvelope.NewId(at));
        command.AgentId = CommandEnvelope.ToBytes(CommandIdentity.AgentOf(target.Fleet, target.Node, target.Incarnation.Span));
        command.Sequence = target.Sequence;
        command.NotBeforeUnixMs = begins;
        command.NotAfterUnixMs = begins + (long)CommandEnvelope.MaxWindow.TotalMilliseconds;
        command.Risk = Description.Risk;
        command.TtlMs = (ulong)frame.Ttl.TotalMilliseconds;
        command.DryRun = frame.DryRun;
        command.Reason = frame.Reason;
        command.Ticket = frame.Ticket;
        command.Nonce = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(CommandEnvelope.IdBytes));
        return command;
    }

    private static void Set(IMessage action, MessageDescriptor type, string setting)
    {
        int equals = setting.IndexOf('=', StringComparison.Ordinal);
        string name = equals > 0 ? setting[..equals] : setting;
        if (equals <= 0 || type.FindFieldByName(name) is not { } field)
        {
            string[] names = [.. type.Fields.InDeclarationOrder().Select(known => known.Name)];
            throw CtlException.Usage(
                $"cannot set '{setting}'", equals <= 0 ? "name=value is wanted" : $"there is no parameter '{name}'",
                names.Length == 0 ? "It has none." : $"It has: {string.Join(", ", names)}.");
        }

        string text = setting[(equals + 1)..];
        object? value = field.FieldType switch
        {
            FieldType.String => text,
            FieldType.Bool => text is "true" or "1" ? true : text is "false" or "0" ? false : null,
            FieldType.UInt32 => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number : null,
            FieldType.UInt64 => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong large) ? large : null,
            _ => throw new InvalidOperationException($"BUG: {name} is a {field.FieldType}, which nobody types"),
        };
        field.Accessor.SetValue(action, value ?? throw CtlException.Usage($"cannot set '{setting}'", $"'{text}' is no {(field.FieldType == FieldType.Bool ? "true or false" : "whole number")}"));
    }
}

/// <summary>What is the same for all nodes of a rollout, beside the action.</summary>
internal sealed record CommandFrame(TimeSpan Ttl, bool DryRun, string Reason, string Ticket);
