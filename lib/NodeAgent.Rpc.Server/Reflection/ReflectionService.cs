using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;

namespace NodeAgent.Rpc.Server.Reflection;

/// <summary>
/// grpc.reflection: lets tools call this server without its .proto files. v1 and v1alpha differ only in the name of the package, so both
/// are served by the same messages.
/// </summary>
internal sealed class ReflectionService(Func<IEnumerable<string>> services, DescriptorIndex index)
{
    private const string Method = "ServerReflectionInfo";

    internal const string V1 = "grpc.reflection.v1.ServerReflection";
    internal const string V1Alpha = "grpc.reflection.v1alpha.ServerReflection";

    internal ServerServiceDefinition Bind(string serviceName) =>
        ServerServiceDefinition.CreateBuilder().AddMethod(
            new Method<ServerReflectionRequest, ServerReflectionResponse>(
                MethodType.DuplexStreaming,
                serviceName,
                Method,
                ProtobufMarshaller(ServerReflectionRequest.Parser),
                ProtobufMarshaller(ServerReflectionResponse.Parser)),
            AnswerAllAsync).Build();

    internal ServerReflectionResponse Answer(ServerReflectionRequest request)
    {
        ServerReflectionResponse response = new() { ValidHost = request.Host, OriginalRequest = request };
        switch (request.MessageRequestCase)
        {
            case ServerReflectionRequest.MessageRequestOneofCase.FileByFilename:
                SetFile(response, index.FindFile(request.FileByFilename), $"file '{request.FileByFilename}'");
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol:
                SetFile(response, index.FindSymbol(request.FileContainingSymbol), $"symbol '{request.FileContainingSymbol}'");
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension:
                ExtensionRequest extension = request.FileContainingExtension;
                SetFile(
                    response,
                    index.FindExtension(extension.ContainingType, extension.ExtensionNumber),
                    $"extension {extension.ExtensionNumber} of '{extension.ContainingType}'");
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType:
                SetExtensionNumbers(response, request.AllExtensionNumbersOfType);
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.ListServices:
                response.ListServicesResponse = new ListServiceResponse();
                response.ListServicesResponse.Service.AddRange(
                    services().Order(StringComparer.Ordinal).Select(name => new ServiceResponse { Name = name }));
                break;
            default:
                SetError(response, StatusCode.InvalidArgument, "The request asks for nothing that is known here.");
                break;
        }

        return response;
    }

    private static Marshaller<T> ProtobufMarshaller<T>(MessageParser<T> parser)
        where T : IMessage<T> => new(
            (message, context) =>
            {
                context.SetPayloadLength(message.CalculateSize());
                message.WriteTo(context.GetBufferWriter());
                context.Complete();
            },
            context => parser.ParseFrom(context.PayloadAsReadOnlySequence()));

    private static void SetFile(ServerReflectionResponse response, FileDescriptor? file, string wanted)
    {
        if (file is null)
        {
            SetError(response, StatusCode.NotFound, $"There is no {wanted} here.");
            return;
        }

        // With all imports, so that one question is enough.
        response.FileDescriptorResponse = new FileDescriptorResponse();
        response.FileDescriptorResponse.FileDescriptorProto.AddRange(DescriptorIndex.Closure(file).Select(part => part.SerializedData));
    }

    private static void SetError(ServerReflectionResponse response, StatusCode code, string text) =>
        response.ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = text };

    private void SetExtensionNumbers(ServerReflectionResponse response, string type)
    {
        if (index.FindExtensionNumbers(type) is not { } numbers)
        {
            SetError(response, StatusCode.NotFound, $"There is no message type '{type}' here.");
            return;
        }

        response.AllExtensionNumbersResponse = new ExtensionNumberResponse { BaseTypeName = type };
        response.AllExtensionNumbersResponse.ExtensionNumber.AddRange(numbers);
    }

    private async Task AnswerAllAsync(
        IAsyncStreamReader<ServerReflectionRequest> requests,
        IServerStreamWriter<ServerReflectionResponse> responses,
        ServerCallContext context)
    {
        while (await requests.MoveNext(context.CancellationToken).ConfigureAwait(false))
        {
            await responses.WriteAsync(Answer(requests.Current)).ConfigureAwait(false);
        }
    }
}
