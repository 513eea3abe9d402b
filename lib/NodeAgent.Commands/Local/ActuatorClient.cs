using System.Net.Sockets;
using NodeAgent.V1;

namespace NodeAgent.Commands.Local;

/// <summary>
/// A connection to the node's actuator: the agent's, or a person's on that node. Blocking, one request at a time, for one thread.
/// Every failure is an <see cref="IOException"/>, and ends it.
/// </summary>
public sealed class ActuatorClient : IDisposable
{
    /// <summary>Where the socket is unless the configuration says otherwise.</summary>
    public const string DefaultSocket = "/run/nodeagent-actuator.sock";

    private readonly NetworkStream _stream;

    private ActuatorClient(Socket socket) => _stream = new NetworkStream(socket, ownsSocket: true);

    /// <summary>Connects; with socket activation this starts the actuator.</summary>
    /// <param name="path">The socket.</param>
    /// <param name="patience">For each answer; a command has a deadline of its own, which must be shorter.</param>
    /// <exception cref="IOException">There is none, or it does not let us in.</exception>
    public static ActuatorClient Connect(string path, TimeSpan patience)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            socket.ReceiveTimeout = (int)patience.TotalMilliseconds;
            socket.SendTimeout = (int)patience.TotalMilliseconds;
            return new ActuatorClient(socket);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            socket.Dispose();
            throw new IOException($"{path}: {e.Message}", e);
        }
    }

    public ActuatorReport Status() => Ask(new ActuatorRequest { Status = new StatusQuery() }, ActuatorResponse.BodyOneofCase.Status).Status;

    /// <summary>Results that the aggregator does not have yet.</summary>
    public UnreportedResults Unreported() =>
        Ask(new ActuatorRequest { Unreported = new UnreportedQuery() }, ActuatorResponse.BodyOneofCase.Unreported).Unreported;

    public void Reported(ResultsReported results) => Ask(new ActuatorRequest { Reported = results }, ActuatorResponse.BodyOneofCase.Taken);

    /// <summary>Has a command checked and done.</summary>
    public CommandAnswer Run(RunCommand run, Action<CommandProgress> progress) =>
        Ask(new ActuatorRequest { Run = run }, ActuatorResponse.BodyOneofCase.Answer, progress).Answer;

    public AuditPage Audit(ulong fromIndex) =>
        Ask(new ActuatorRequest { Audit = new AuditQuery { FromIndex = fromIndex } }, ActuatorResponse.BodyOneofCase.Audit).Audit;

    public void Dispose() => _stream.Dispose();

    private ActuatorResponse Ask(ActuatorRequest request, ActuatorResponse.BodyOneofCase wanted, Action<CommandProgress>? progress = null)
    {
        try
        {
            LocalFrame.Write(_stream, request);
            while (LocalFrame.TryRead(_stream, ActuatorResponse.Parser, LocalFrame.MaxResponseBytes, out ActuatorResponse? response))
            {
                if (response.BodyCase == wanted) return response;
                if (response.BodyCase == ActuatorResponse.BodyOneofCase.Problem) throw new IOException($"the actuator: {response.Problem}");
                if (response.BodyCase == ActuatorResponse.BodyOneofCase.Progress) progress?.Invoke(response.Progress);
                else throw new IOException($"the actuator answered {response.BodyCase} where {wanted} was wanted");
            }
        }
        catch (InvalidDataException e)
        {
            throw new IOException($"the actuator: {e.Message}", e);
        }

        throw new IOException("the actuator ended the connection");
    }
}
