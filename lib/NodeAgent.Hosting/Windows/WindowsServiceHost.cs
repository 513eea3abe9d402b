using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NodeAgent.Hosting.Windows;

/// <summary>
/// Runs a program as a Windows service when the service control manager started it. The manager's protocol (learn.microsoft.com, "Service
/// Programs"): the dispatcher is called at once, it calls ServiceMain on a thread of its own, that registers a handler and reports states. One
/// service a process, so the instance is static: the callbacks carry no other context.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe partial class WindowsServiceHost
{
    private const int NotStartedByManager = 1063; // ERROR_FAILED_SERVICE_CONTROLLER_CONNECT
    private const uint ControlStop = 1;
    private const uint ControlInterrogate = 4;
    private const uint ControlShutdown = 5;
    private const uint ControlParameterChange = 6;
    private const uint NoError = 0;
    private const uint CallNotImplemented = 120;

    private static WindowsServiceHost? s_instance;

    private readonly string _name;
    private readonly Func<WindowsServiceHost, int> _run;
    private nint _handle;
    private int _exitCode;

    private WindowsServiceHost(string name, Func<WindowsServiceHost, int> run)
    {
        _name = name;
        _run = run;
        State = new WindowsServiceState(Report);
    }

    internal WindowsServiceState State { get; }

    /// <summary>Set by the program: the manager wants it to stop, or to read its configuration again.</summary>
    internal Action? OnStop { get; set; }

    /// <inheritdoc cref="OnStop"/>
    internal Action? OnReload { get; set; }

    /// <summary>
    /// Runs <paramref name="run"/> as the service if the manager started this process, and returns when it has ended. False: somebody else
    /// started it, such as a person; nothing was run.
    /// </summary>
    internal static bool TryRun(string name, Func<WindowsServiceHost, int> run, out int exitCode)
    {
        WindowsServiceHost host = new(name, run);
        s_instance = host;
        fixed (char* service = name)
        {
            ServiceTableEntry* table = stackalloc ServiceTableEntry[2];
            table[0] = new ServiceTableEntry { Name = service, Main = &ServiceMain };
            table[1] = default;
            bool isService = StartDispatcher(table) != 0;
            exitCode = host._exitCode;
            if (!isService && Marshal.GetLastPInvokeError() is not NotStartedByManager and var error)
            {
                throw new System.ComponentModel.Win32Exception(error);
            }

            return isService;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvStdcall)])]
    private static void ServiceMain(uint count, char** arguments)
    {
        WindowsServiceHost host = s_instance!;
        host._handle = RegisterHandler(host._name, &Handle, null);
        if (host._handle == 0)
        {
            return; // the manager knows: it gave no handle
        }

        host.State.Starting();
        host._exitCode = host._run(host);
        host.State.Ended(host._exitCode);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvStdcall)])]
    private static uint Handle(uint control, uint kind, void* data, void* context)
    {
        WindowsServiceHost host = s_instance!;
        switch (control)
        {
            case ControlStop or ControlShutdown:
                host.State.Stopping();
                host.OnStop?.Invoke();
                return NoError;
            case ControlParameterChange:
                host.OnReload?.Invoke();
                return NoError;
            case ControlInterrogate:
                host.State.Repeat();
                return NoError;
            default:
                return CallNotImplemented;
        }
    }

    private void Report(in ServiceStatus status)
    {
        fixed (ServiceStatus* pointer = &status)
        {
            _ = SetStatus(_handle, pointer); // a manager that does not listen is about to end us anyway
        }
    }

    /// <summary>SERVICE_TABLE_ENTRYW of winsvc.h.</summary>
    private struct ServiceTableEntry
    {
        public char* Name;
        public delegate* unmanaged[Stdcall]<uint, char**, void> Main;
    }

    [LibraryImport("advapi32", EntryPoint = "StartServiceCtrlDispatcherW", SetLastError = true)]
    private static partial int StartDispatcher(ServiceTableEntry* table);

    [LibraryImport("advapi32", EntryPoint = "RegisterServiceCtrlHandlerExW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial nint RegisterHandler(string name, delegate* unmanaged[Stdcall]<uint, uint, void*, void*, uint> handler, void* context);

    [LibraryImport("advapi32", EntryPoint = "SetServiceStatus", SetLastError = true)]
    private static partial int SetStatus(nint handle, ServiceStatus* status);
}
