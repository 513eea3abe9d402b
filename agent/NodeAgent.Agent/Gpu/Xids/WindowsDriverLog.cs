using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;
using NodeAgent.Agent.Gpu.Supervision;
using NodeAgent.Contracts.Xids;
using NodeAgent.Sampling.Events;

namespace NodeAgent.Agent.Gpu.Xids;

/// <summary>Records of the System log, as XML, newest last.</summary>
internal interface ISystemLog
{
    /// <summary>The driver's records behind this one.</summary>
    IReadOnlyList<string> ReadAfter(ulong recordId);

    /// <summary>The newest record there is; 0: none.</summary>
    ulong Newest();
}

/// <summary>
/// GPU errors on Windows, where NVML tells no events: what the display driver (provider nvlddmkm, event ids 13, 14 and 153) writes into the
/// System log. Looked at beside the tick; begins with what happens from now on, because the log has no boot id to tell old from new.
/// Compiled and tested with scripted records; never run on Windows.
/// </summary>
internal sealed partial class WindowsDriverLog : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly ISystemLog _log;
    private readonly XidPolicy _policy;
    private readonly GpuEventQueue _events;
    private readonly ITimer _timer;
    private ulong _last;

    internal WindowsDriverLog(ISystemLog log, XidPolicy policy, GpuEventQueue events, TimeProvider time)
    {
        _log = log;
        _policy = policy;
        _events = events;
        _last = log.Newest();
        _timer = time.CreateTimer(_ => Look(), null, Interval, Interval);
    }

    public void Dispose() => _timer.Dispose();

    internal void Look()
    {
        foreach (string xml in _log.ReadAfter(_last))
        {
            if (TryParse(xml, _policy, _events, out ulong record, out HostEvent? happened) && record > _last)
            {
                _last = record;
                _events.Add(happened);
            }
        }
    }

    /// <summary>
    /// Reads one record. The driver names an XID only in some of its texts; one without becomes an event of its own kind, with all of its text.
    /// </summary>
    internal static bool TryParse(string xml, XidPolicy policy, GpuEventQueue events, out ulong record, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out HostEvent? happened)
    {
        record = 0;
        happened = null;
        string id = "";
        string time = "";
        List<string> data = [];
        try
        {
            using XmlReader reader = XmlReader.Create(new StringReader(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            while (reader.Read())
            {
                switch (reader.NodeType == XmlNodeType.Element ? reader.LocalName : "")
                {
                    case "EventID":
                        id = reader.ReadString();
                        break;
                    case "EventRecordID":
                        _ = ulong.TryParse(reader.ReadString(), out record);
                        break;
                    case "TimeCreated":
                        time = reader.GetAttribute("SystemTime") ?? "";
                        break;
                    case "Data":
                        data.Add(reader.ReadString());
                        break;
                }
            }
        }
        catch (XmlException)
        {
            return false;
        }

        if (record == 0 || !DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at))
        {
            return false;
        }

        string text = string.Join(' ', data.Where(part => part.Length > 0));
        happened = XidIn().Match(text) is { Success: true } found && int.TryParse(found.Groups[1].ValueSpan, out int xid)
            ? OfXid(xid, text, id, at, policy, events)
            : events.Make(GpuEventKind.DriverError, EventSeverity.Error, text, at.ToUnixTimeMilliseconds(), ("event_id", id));
        return true;
    }

    private static HostEvent OfXid(int xid, string text, string id, DateTimeOffset at, XidPolicy policy, GpuEventQueue events)
    {
        XidVerdict verdict = policy.Judge(xid);
        return events.Make(
            HostEventKind.Xid, verdict.Severity == "info" ? EventSeverity.Info : verdict.Severity == "warning" ? EventSeverity.Warning : EventSeverity.Error, text,
            at.ToUnixTimeMilliseconds(), ("number", xid.ToString()), ("event_id", id), ("name", XidCatalogue.Embedded.Find(xid)?.Name ?? ""), ("action", verdict.Action), ("route", "system_log"));
    }

    [GeneratedRegex(@"\bXID:?\s*(\d{1,3})\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex XidIn();
}
