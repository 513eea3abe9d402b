using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using NodeAgent.Ctl.Bundle;
using NodeAgent.Ctl.Tests.Harness;

namespace NodeAgent.Ctl.Tests.Bundle;

public sealed class BundleTests : IDisposable
{
    private const string Canary = "CANARY-7f3a";

    private readonly string _root = Directory.CreateTempSubdirectory("nodectl-bundle").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("\"password\": \"CANARY-7f3a\"", "\"password\": [redacted]")]
    [InlineData("token=CANARY-7f3a next", "token=[redacted] next")]
    [InlineData("API_KEY: 'CANARY-7f3a'", "API_KEY: [redacted]")]
    [InlineData("WEBHOOK_SECRET=CANARY-7f3a", "WEBHOOK_SECRET=[redacted]")]
    [InlineData("curl -H 'Authorization: Bearer CANARY-7f3a'", "curl -H 'Authorization: [redacted]")]
    [InlineData("http://ann:CANARY-7f3a@influx:8086/x", "http://[redacted]@influx:8086/x")]
    [InlineData("nodectl join na1.id.CANARY-7f3a.spki", "nodectl join [redacted]")]
    [InlineData("tool --token CANARY-7f3a -v", "tool --token [redacted] -v")]
    [InlineData("-----BEGIN EC PRIVATE KEY-----\nCANARY-7f3a\n-----END EC PRIVATE KEY-----\nrest", "[redacted]\nrest")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nCANARY-7f3a", "[redacted]")]
    [InlineData("\"client_secret_v2\": \"a \\\"CANARY-7f3a\"", "\"client_secret_v2\": [redacted]")]
    public void Clean_OfASecret_TakesItOutAndNothingElse(string text, string expected)
    {
        Redactor redactor = new();

        Assert.Equal(expected, redactor.Clean(text));
        Assert.Equal(1, redactor.Count);
    }

    [Theory]
    [InlineData("\"key_file\": \"/etc/nodeagent/agent.key\"")]
    [InlineData("\"password_file\": \"/etc/nodeagent/influx\"")]
    [InlineData("\"token_file\": \"/etc/t\"")]
    [InlineData("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----")]
    [InlineData("monkey: 7, keyboard=us")]
    [InlineData("https://host:7443/path")]
    public void Clean_OfWhatIsNoSecret_LeavesIt(string text) => Assert.Equal(text, new Redactor().Clean(text));

    [Fact]
    public async Task Bundle_OfAHostWithPlantedSecrets_HoldsNone()
    {
        Write("etc/nodeagent/nodeagent.json", $"{{ \"sink\": {{ \"password\": \"{Canary}\", \"url\": \"http://u:{Canary}@h:1\" }} }}");
        Write("etc/nodeagent/nodeagent.d/x.json", $"// token: {Canary}\n{{}}");
        Write("etc/nodeagent/agent.key", $"-----BEGIN PRIVATE KEY-----\n{Canary}\n-----END PRIVATE KEY-----");
        string file = Path.Combine(_root, "bundle.tar.gz");
        Bench bench = new() { HostRoot = _root };

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["bundle", file, "--server", "aggregator.lab", "-o", "csv"]));

        Dictionary<string, string> parts = Read(file);
        Assert.Contains(parts.Keys, path => path.EndsWith("/host/etc/nodeagent/nodeagent.d/x.json", StringComparison.Ordinal));
        Assert.Contains(parts.Keys, path => path.EndsWith("/doctor.json", StringComparison.Ordinal));
        Assert.DoesNotContain(parts.Keys, path => path.Contains(".key", StringComparison.Ordinal));
        Assert.All(parts, part => Assert.DoesNotContain(Canary, part.Value, StringComparison.Ordinal));
        Assert.Contains("[redacted]", string.Concat(parts.Values), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        Assert.Equal(ExitCode.Usage, await bench.RunAsync(["bundle", file, "--server", "aggregator.lab"])); // never over what exists
    }

    [Fact]
    public async Task Bundle_WithoutAnAggregator_StillHasThisHostAndSaysWhatIsMissing()
    {
        Write("etc/nodeagent/nodeagent.json", "{}");
        string file = Path.Combine(_root, "bundle.tar.gz");
        Bench bench = new() { HostRoot = _root };
        bench.Fleet.Failure = new CtlException(ExitCode.Unavailable, "cannot read the status", "connection refused", "Start it.");

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["bundle", file, "--server", "aggregator.lab", "-o", "csv"]));

        Assert.Contains("connection refused", bench.Output, StringComparison.Ordinal);
        Assert.Contains("host/etc/nodeagent/nodeagent.json", bench.Output, StringComparison.Ordinal);
    }

    private void Write(string path, string text)
    {
        string file = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    private static Dictionary<string, string> Read(string file)
    {
        using GZipStream gzip = new(File.OpenRead(file), CompressionMode.Decompress);
        using TarReader tar = new(gzip);
        Dictionary<string, string> parts = [];
        while (tar.GetNextEntry(copyData: true) is { } entry)
        {
            using StreamReader text = new(entry.DataStream ?? Stream.Null, Encoding.UTF8);
            parts[entry.Name] = text.ReadToEnd();
        }

        return parts;
    }
}
