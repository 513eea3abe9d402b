using System.Net.Sockets;
using NodeAgent.Actuation.Local;
using NodeAgent.Commands.Local;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Tests.Local;

/// <summary>A <see cref="World"/> behind a real local socket, as the actuator's process serves it.</summary>
internal sealed class ServedWorld : IActuatorWatch, IAsyncDisposable
{
    private readonly TrustedFolder _folder = new();
    private CancellationTokenSource _stop = new();
    private ActuatorSocket? _socket;
    private Task<ActuatorEnd>? _running;

    internal World World { get; } = new();

    internal List<uint?> RefusedUsers { get; } = [];

    internal List<string> Breaks { get; } = [];

    internal string SocketPath => Path.Combine(_folder.Path, "a.sock");

    internal Func<uint, bool> MayAsk { get; set; } = static _ => true;

    internal Task<ActuatorEnd> Running => _running!;

    internal void Start(TimeSpan? idle = null)
    {
        _stop = new CancellationTokenSource();
        _socket = ActuatorSocket.Listen(SocketPath);
        ActuatorIdentity identity = new("fleet", "node", new byte[16]);
        ActuatorServer server = new(identity, World.Ledger, World.Runner, World.Policy, World, TimeProvider.System, this);
        _running = server.RunAsync(_socket.Listener, MayAsk, idle, _stop.Token);
    }

    internal ActuatorClient Connect() => ActuatorClient.Connect(SocketPath, TimeSpan.FromSeconds(30));

    internal CommandAnswer Run(byte[] envelope)
    {
        using ActuatorClient client = Connect();
        return client.Run(new RunCommand { CommandId = Google.Protobuf.ByteString.CopyFrom(new byte[16]), Envelope = Google.Protobuf.ByteString.CopyFrom(envelope) }, _ => { });
    }

    /// <summary>The process is killed, and another one begins on what is on the disk.</summary>
    internal async Task RestartAsync()
    {
        World.Kill(power: false);
        await StopAsync();
        World.Restart();
        Start();
    }

    internal async Task StopAsync()
    {
        await _stop.CancelAsync();
        if (_running is not null) await _running;
        _socket?.Dispose();
        _stop.Dispose();
    }

    void IActuatorWatch.Refused(uint? user)
    {
        lock (RefusedUsers) RefusedUsers.Add(user);
    }

    void IActuatorWatch.Broken(string reason)
    {
        lock (Breaks) Breaks.Add(reason);
    }

    void IActuatorWatch.Ended(CommandAnswer answer)
    {
    }

    void IActuatorWatch.PutBack(int settings)
    {
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        World.Dispose();
        _folder.Dispose();
    }
}
