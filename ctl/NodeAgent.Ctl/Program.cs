using System.Runtime.InteropServices;
using System.Text;
using NodeAgent.Ctl;
using NodeAgent.Ctl.Connection;
using NodeAgent.Ctl.Doctor;

// One writer without autoflush: a table leaves in one write instead of one a line.
StreamWriter output = new(Console.OpenStandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 16 * 1024) { NewLine = "\n" };
using CancellationTokenSource stop = new();

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
