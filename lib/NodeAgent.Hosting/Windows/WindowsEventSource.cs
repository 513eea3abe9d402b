using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NodeAgent.Hosting.Windows;

/// <summary>The Application log through RegisterEventSource and ReportEvent; install.ps1 registers the source's message file.</summary>
[SupportedOSPlatform("windows")]
internal sealed partial class WindowsEventSource(string source) : IDisposable
{
    // EventCreate.exe, which install.ps1 names as the message file, has the texts "%1" for 1 to 1000.
    private const uint EventId = 1;

    private readonly nint _handle = Register(null, source);

    internal unsafe void Report(ushort type, string text)
    {
        if (_handle == 0)
        {
            return; // without a source there is nowhere to write, and nobody to tell
        }

        fixed (char* line = text)
        {
            char* strings = line;
            _ = ReportEvent(_handle, type, 0, EventId, 0, 1, 0, &strings, null);
        }
    }

    public void Dispose()
    {
        if (_handle != 0)
        {
            _ = Deregister(_handle);
        }
    }

    [LibraryImport("advapi32", EntryPoint = "RegisterEventSourceW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial nint Register(string? server, string source);

    [LibraryImport("advapi32", EntryPoint = "DeregisterEventSource", SetLastError = true)]
    private static partial int Deregister(nint handle);

    [LibraryImport("advapi32", EntryPoint = "ReportEventW", SetLastError = true)]
    private static unsafe partial int ReportEvent(nint handle, ushort type, ushort category, uint id, nint user, ushort strings, uint bytes, char** texts, void* data);
}
