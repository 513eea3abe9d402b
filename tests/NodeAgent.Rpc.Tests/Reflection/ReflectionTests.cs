using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;
using NodeAgent.Rpc.Tests.Proto;
using V1Alpha = Grpc.Reflection.V1Alpha;

namespace NodeAgent.Rpc.Tests.Reflection;

public sealed class ReflectionTests
{
    private const string Package = "nodeagent.rpc.tests";

    [Fact]
    public async Task ListServices_AllServed_AreListed()
    {
        await using RpcHost host = await StartAsync();
        ServerReflectionResponse response = await AskAsync(host, new ServerReflectionRequest { ListServices = "*" });
        Assert.Equal(
            ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", $"{Package}.Echo", $"{Package}.Extended"],
            response.ListServicesResponse.Service.Select(service => service.Name));
    }

    [Theory]
    [InlineData("Echo")]
    [InlineData("Echo.Unary")]
    [InlineData("EchoRequest")]
    [InlineData("EchoRequest.payload")]
    [InlineData("EchoReply.Mood")]
    [InlineData("EchoReply.LOUD")]
    public async Task FileContainingSymbol_Known_IsItsFile(string symbol)
    {
        await using RpcHost host = await StartAsync();
        ServerReflectionResponse response = await AskAsync(host, new ServerReflectionRequest { FileContainingSymbol = $"{Package}.{symbol}" });
        Assert.Equal(["echo.proto"], FileNames(response));
    }

    [Fact]
    public async Task FileByFilename_WithImports_BringsTheClosure()
    {
        await using RpcHost host = await StartAsync();
        ServerReflectionResponse response = await AskAsync(host, new ServerReflectionRequest { FileByFilename = "extended.proto" });
        Assert.Equal(["extended.proto", "echo.proto"], FileNames(response));
        IReadOnlyList<FileDescriptor> files = FileDescriptor.BuildFromByteStrings(
            response.FileDescriptorResponse.FileDescriptorProto.Reverse());
        Assert.Equal(Extended.Descriptor.FullName, files[1].Services.Single().FullName);
    }

    [Fact]
    public async Task Extensions_Known_AreFoundByNumberAndListed()
    {
        await using RpcHost host = await StartAsync();
        ExtensionRequest extension = new() { ContainingType = $"{Package}.Open", ExtensionNumber = 126 };
        Assert.Equal(
            ["extended.proto", "echo.proto"],
            FileNames(await AskAsync(host, new ServerReflectionRequest { FileContainingExtension = extension })));
        ServerReflectionResponse numbers = await AskAsync(host, new ServerReflectionRequest { AllExtensionNumbersOfType = $"{Package}.Open" });
        Assert.Equal([101, 126], numbers.AllExtensionNumbersResponse.ExtensionNumber);
        Assert.Equal($"{Package}.Open", numbers.AllExtensionNumbersResponse.BaseTypeName);
    }

    [Fact]
    public async Task Questions_Unanswerable_AreNotFoundAndTheStreamGoesOn()
    {
        await using RpcHost host = await StartAsync();
        ServerReflectionRequest[] questions =
        [
            new() { FileByFilename = "no.proto" },
            new() { FileContainingSymbol = "no.Symbol" },
            new() { FileContainingExtension = new ExtensionRequest { ContainingType = $"{Package}.Open", ExtensionNumber = 150 } },
            new() { AllExtensionNumbersOfType = "no.Type" },
        ];
        using AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> call =
            new ServerReflection.ServerReflectionClient(host.Channel()).ServerReflectionInfo();
        foreach (ServerReflectionRequest question in questions)
        {
            await call.RequestStream.WriteAsync(question);
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal((int)StatusCode.NotFound, call.ResponseStream.Current.ErrorResponse.ErrorCode);
            Assert.Equal(question, call.ResponseStream.Current.OriginalRequest);
        }
    }

    [Fact]
    public async Task Question_AsksNothing_IsInvalidArgument()
    {
        await using RpcHost host = await StartAsync();
        Assert.Equal((int)StatusCode.InvalidArgument, (await AskAsync(host, new ServerReflectionRequest())).ErrorResponse.ErrorCode);
    }

    [Fact]
    public async Task V1Alpha_SameQuestion_SameAnswer()
    {
        await using RpcHost host = await StartAsync();
        V1Alpha.ServerReflectionRequest request = new() { FileContainingSymbol = $"{Package}.Echo" };
        using AsyncDuplexStreamingCall<V1Alpha.ServerReflectionRequest, V1Alpha.ServerReflectionResponse> call =
            new V1Alpha.ServerReflection.ServerReflectionClient(host.Channel()).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(request);
        Assert.True(await call.ResponseStream.MoveNext());
        ServerReflectionResponse v1 = await AskAsync(host, ServerReflectionRequest.Parser.ParseFrom(request.ToByteArray()));
        Assert.Equal(v1.ToByteArray(), call.ResponseStream.Current.ToByteArray());
    }

    private static Task<RpcHost> StartAsync() => RpcHost.StartAsync(configure: server => server
        .AddService(Extended.BindService(new Extended_()))
        .AddReflection(Echo.Descriptor, Extended.Descriptor));

    private static async Task<ServerReflectionResponse> AskAsync(RpcHost host, ServerReflectionRequest request)
    {
        using AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> call =
            new ServerReflection.ServerReflectionClient(host.Channel()).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(request);
        Assert.True(await call.ResponseStream.MoveNext());
        ServerReflectionResponse response = call.ResponseStream.Current;
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
        return response;
    }

    private static IEnumerable<string> FileNames(ServerReflectionResponse response) =>
        response.FileDescriptorResponse.FileDescriptorProto.Select(bytes => FileDescriptorProto.Parser.ParseFrom(bytes).Name);

    private sealed class Extended_ : Extended.ExtendedBase
    {
    }
}
