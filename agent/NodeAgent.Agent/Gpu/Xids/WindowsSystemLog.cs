using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NodeAgent.Agent.Gpu.Xids;

/// <summary>The System log through wevtapi (winevt.h): a query for each look, which the service answers from its index. Never run on Windows.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe partial class WindowsSystemLog : ISystemLog
{
    private const string Provider = "*[System[Provider[@Name='nvlddmkm'] and (EventID=13 or EventID=14 or EventID=153)";
    private const uint ChannelPath = 0x1; // EvtQueryChannelPath
    private const uint NewestFirst = 0x200; // EvtQueryReverseDirection
    private const uint AsXml = 1; // EvtRenderEventXml
    private const int MostRecords = 64;
    private const int MostBytes = 64 * 1024; // the largest record the service renders

    public IReadOnlyList<string> ReadAfter(ulong recordId) => Query($"{Provider} and EventRecordID>{recordId}]]", 0, MostRecords);

    public ulong Newest()
    {
        foreach (string xml in Query($"{Provider}]]", NewestFirst, 1))
        {
            int start = xml.IndexOf("<EventRecordID>", StringComparison.Ordinal) + "<EventRecordID>".Length;
            int end = xml.IndexOf('<', start);
            return end > start && ulong.TryParse(xml.AsSpan(start, end - start), out ulong newest) ? newest : 0;
        }

        return 0;
    }

    private static List<string> Query(string query, uint direction, int most)
    {
        List<string> records = [];
        nint results = EvtQuery(0, "System", query, ChannelPath | direction);
        if (results == 0)
        {
            return records; // no such provider: no NVIDIA driver has ever written
        }

        nint record;
        while (records.Count < most && EvtNext(results, 1, &record, 0, 0, out uint returned) && returned == 1)
        {
            if (Render(record) is { } xml)
            {
                records.Add(xml);
            }

            _ = EvtClose(record);
        }

        _ = EvtClose(results);
        return records;
    }

    private static string? Render(nint record)
    {
        char[] buffer = new char[MostBytes / sizeof(char)];
        fixed (char* text = buffer)
        {
            return EvtRender(0, record, AsXml, MostBytes, text, out uint used, out _) ? new string(text, 0, Math.Max(0, ((int)used / sizeof(char)) - 1)) : null;
        }
    }

    [LibraryImport("wevtapi.dll", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial nint EvtQuery(nint session, string path, string query, uint flags);

    [LibraryImport("wevtapi.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool EvtNext(nint results, uint size, nint* records, uint timeout, uint flags, out uint returned);

    [LibraryImport("wevtapi.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool EvtRender(nint context, nint fragment, uint flags, uint bufferSize, char* buffer, out uint used, out uint propertyCount);

    [LibraryImport("wevtapi.dll")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool EvtClose(nint handle);
}
