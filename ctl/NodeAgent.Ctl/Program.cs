using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using NodeAgent.Ctl;
using NodeAgent.Ctl.Connection;
using NodeAgent.Ctl.Doctor;

// One writer without autoflush: a table leaves in one write instead of one a line.
StreamWriter output = new(OpenOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 16 * 1024) { NewLine = "\n" };
using CancellationTokenSource stop = new();

// The console's own stream swallows EPIPE, so `nodectl watch … | head` would go on for ever; a file stream on the descriptor
// throws. Not into a regular file: there a file stream writes at a position of its own (pwrite) and does not move the shared one.
static Stream OpenOutput()
{
    if (OperatingSystem.IsWindows()) return Console.OpenStandardOutput();
    FileStream direct = new(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
    return direct.CanSeek ? Console.OpenStandardOutput() : direct;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

ExitCode code = await Nodectl.RunAsync(args, new CtlWorld
{
    Out = output,
    Error = Console.Error,
    Terminal = new SystemTerminal(),
    Time = TimeProvider.System,
    Environment = Environment.GetEnvironmentVariable,
    Home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile),
    HostName = Environment.MachineName,
    Connect = settings => FleetChannel.Open(settings, TimeProvider.System),
    Probe = new NetworkProbe(),
}, stop.Token);

try
{
    await output.FlushAsync();
}
catch (IOException)
{
    // The reader has gone (`| head`); what it wanted, it has.
    return (int)code;
}

return (int)code;
