using System.Net.Sockets;
using NodeAgent.Commands.Local;
using NodeAgent.V1;

namespace NodeAgent.Agent.Tests.Commands;

/// <summary>A local socket that answers as a test says.</summary>
internal sealed class PlayedActuator : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lane-").FullName;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Func<ActuatorRequest, IEnumerable<ActuatorResponse>> _answer;

    internal PlayedActuator(Func<ActuatorRequest, IEnumerable<ActuatorResponse>> answer)
    {
        _answer = answer;
        _listener.Bind(new UnixDomainSocketEndPoint(Path));
        _listener.Listen();
        new Thread(Serve) { IsBackground = true }.Start();
    }

    internal string Path => System.IO.Path.Combine(_folder, "a.sock");

    /// <summary>What was asked, in order.</summary>
    internal List<ActuatorRequest> Asked { get; } = [];

    public void Dispose()
    {
        _listener.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Serve()
    {
        try
        {
            while (true)
            {
                using NetworkStream stream = new(_listener.Accept(), ownsSocket: true);
                while (LocalFrame.TryRead(stream, ActuatorRequest.Parser, LocalFrame.MaxRequestBytes, out ActuatorRequest? request))
                {
                    lock (Asked) Asked.Add(request);
                    foreach (ActuatorResponse response in _answer(request)) LocalFrame.Write(stream, response);
                }
            }
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            return; // The test is over, or broke the connection on purpose.
        }
    }
}
