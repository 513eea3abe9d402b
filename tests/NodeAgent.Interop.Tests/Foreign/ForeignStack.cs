using System.ComponentModel;
using System.Diagnostics;

namespace NodeAgent.Interop.Tests.Foreign;

/// <summary>A gRPC stack that is not ours: how its programs are started, and what this machine lacks for them.</summary>
public abstract class ForeignStack
{
    /// <summary>The executable and its arguments for the case runner (client) or the test service (server).</summary>
    internal abstract IReadOnlyList<string> ClientCommand { get; }

    /// <inheritdoc cref="ClientCommand"/>
    internal abstract IReadOnlyList<string> ServerCommand { get; }

    /// <summary>Whether its server can compress responses.</summary>
    internal abstract bool ServerCompresses { get; }

    /// <summary>
    /// Whether its server takes several values of one -bin key. Our HTTP stack joins them with commas, at which the gRPC protocol tells
    /// receivers to split; C-core 1.51 calls that a parse error.
    /// </summary>
    internal abstract bool ServerSplitsBinaryValues { get; }

    /// <summary>What is missing here, with the way to get it; null when the stack can run.</summary>
    internal abstract string? Missing { get; }

    /// <summary>Whether a probe command exists and ends with 0 within 30 s.</summary>
    protected static bool Succeeds(string executable, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(executable, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            if (process.WaitForExit(TimeSpan.FromSeconds(30)))
            {
                return process.ExitCode == 0;
            }

            process.Kill();
            return false;
        }
        catch (Win32Exception)
        {
            return false; // No such executable.
        }
    }
}

/// <summary>Debian's python3-grpcio: gRPC's C core.</summary>
public sealed class PythonStack : ForeignStack
{
    // Not python3 from the PATH: another Python there does not see Debian's packages.
    private const string Python = "/usr/bin/python3";

    private static readonly Lazy<string?> LazyMissing = new(Probe);

    internal override IReadOnlyList<string> ClientCommand { get; } = [Python, InteropTree.PathOf("python", "client.py")];

    internal override IReadOnlyList<string> ServerCommand { get; } = [Python, InteropTree.PathOf("python", "server.py")];

    internal override bool ServerCompresses => true;

    internal override bool ServerSplitsBinaryValues => false;

    internal override string? Missing => LazyMissing.Value;

    private static string? Probe() =>
        !Succeeds(Python, "-c", "import grpc.aio, google.protobuf")
            ? "Debian's packages python3-grpcio and python3-protobuf are not installed: run tests/interop/install.sh."
        : !Succeeds("protoc", "--version")
            ? "Debian's package protobuf-compiler is not installed: run tests/interop/install.sh."
        : null;
}

/// <summary>npm's @grpc/grpc-js: gRPC in JavaScript on Node's own HTTP/2.</summary>
public sealed class NodeStack : ForeignStack
{
    private static readonly Lazy<string?> LazyMissing = new(Probe);

    internal override IReadOnlyList<string> ClientCommand { get; } = ["node", InteropTree.PathOf("node", "client.js")];

    internal override IReadOnlyList<string> ServerCommand { get; } = ["node", InteropTree.PathOf("node", "server.js")];

    internal override bool ServerCompresses => false;

    internal override bool ServerSplitsBinaryValues => true;

    internal override string? Missing => LazyMissing.Value;

    private static string? Probe() =>
        !Succeeds("node", "--version")
            ? "node is not installed."
        : !Directory.Exists(InteropTree.PathOf("node", "node_modules", "@grpc", "grpc-js"))
            ? "npm's packages @grpc/grpc-js and @grpc/proto-loader are not installed: run tests/interop/install.sh."
        : null;
}
