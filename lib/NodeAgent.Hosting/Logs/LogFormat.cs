namespace NodeAgent.Hosting.Logs;

/// <summary>How one event becomes one line. Both carry the same keys.</summary>
public enum LogFormat
{
    /// <summary><c>2026-11-21T09:08:07.123Z level=info event=UplinkConnected id=4001 peer=a:1 msg="..."</c>: for people and grep.</summary>
    Text,

    /// <summary>One JSON object a line, for log shippers: <c>{"time":"...","level":"info","event":"UplinkConnected","id":4001,...}</c>.</summary>
    Json,
}
