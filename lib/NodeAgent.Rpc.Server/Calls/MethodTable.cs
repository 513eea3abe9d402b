using System.Collections.Frozen;
using Grpc.Core;

namespace NodeAgent.Rpc.Server.Calls;

/// <summary>All methods of a server by path; collects them as a binder and is then only read.</summary>
internal sealed class MethodTable : ServiceBinderBase
{
    private readonly Dictionary<string, MethodHandler> _methods = new(StringComparer.Ordinal);
    private FrozenDictionary<string, MethodHandler> _frozen = FrozenDictionary<string, MethodHandler>.Empty;
    private FrozenSet<string> _services = FrozenSet<string>.Empty;

    internal IReadOnlyCollection<string> Services => _services;

    internal void Freeze()
    {
        _frozen = _methods.ToFrozenDictionary(StringComparer.Ordinal);
        _services = _methods.Values.Select(handler => handler.Method.ServiceName).ToFrozenSet(StringComparer.Ordinal);
    }

    internal MethodHandler? Find(string path) => _frozen.GetValueOrDefault(path);

    /// <summary>Why a path was not found.</summary>
    internal Status Unimplemented(string path)
    {
        int slash = path.LastIndexOf('/');
        string service = slash > 1 ? path[1..slash] : "";
        return _services.Contains(service)
            ? new Status(StatusCode.Unimplemented, $"Method {path[(slash + 1)..]} not found in service {service}.")
            : new Status(StatusCode.Unimplemented, $"Service {service} not found.");
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        Add(new UnaryHandler<TRequest, TResponse>(method, Required(method, handler)));

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
        Add(new ClientStreamingHandler<TRequest, TResponse>(method, Required(method, handler)));

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        Add(new ServerStreamingHandler<TRequest, TResponse>(method, Required(method, handler)));

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
        Add(new DuplexHandler<TRequest, TResponse>(method, Required(method, handler)));

    private static T Required<T>(IMethod method, T? handler)
        where T : class => handler ?? throw new ArgumentException($"The method {method.FullName} has no handler.");

    private void Add(MethodHandler handler)
    {
        if (!_methods.TryAdd(handler.Method.FullName, handler))
        {
            throw new ArgumentException($"The method {handler.Method.FullName} is served already.");
        }
    }
}
