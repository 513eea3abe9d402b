using Grpc.Core;
using NodeAgent.Contracts.Identity;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Journal.Files;

namespace NodeAgent.Agent.Identity;

/// <summary>
/// <c>nodeagent enrol</c>: gets this host its identity, once, and says how that went. The token comes from a file or standard input and
/// never from the command line, which every user of the host can read.
/// </summary>
internal static class EnrolProgram
{
    internal const string Verb = "enrol";

    internal const string Usage =
        """
        enrol --token-file FILE --server HOST[:7444] [--server-name NAME] [--directory DIR] [--force]
                                 enrol this host with a join token (`nodectl token create`); FILE may be - for standard input
        """;

    /// <summary>Does it; the exit code is one of <see cref="ExitCode"/>.</summary>
    internal static int Run(IReadOnlyList<string> arguments)
    {
        if (!EnrolArguments.TryParse(arguments, out EnrolArguments parsed, out string problem))
        {
            return Fail(ExitCode.Usage, problem.Length > 0 ? problem : Usage);
        }

        string directory = parsed.Directory ?? IdentitySettings.UsualDirectory(Environment.GetEnvironmentVariable("STATE_DIRECTORY"));
        IdentityFiles files = new(FileOps.ForThisMachine(), directory);
        using MemberIdentity? present = IdentityStart.TryLoad(files, out _);
        if (present is not null && !parsed.Force)
        {
            return Fail(ExitCode.Usage, $"{directory} holds the identity {present.Identity} already; --force replaces it");
        }

        if (TryReadToken(parsed.TokenFile, out problem) is not { } token)
        {
            return Fail(ExitCode.Usage, problem);
        }

        using CancellationTokenSource stop = new();
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true;
            stop.Cancel();
        };
        Status status = new Enrolling(files, TimeProvider.System).TryJoin(parsed.Server, parsed.ServerName, token, stop.Token);
        using MemberIdentity? enrolled = status.StatusCode == StatusCode.OK ? IdentityStart.TryLoad(files, out problem) : null;
        if (enrolled is null)
        {
            return Fail(ExitCodeOf(status.StatusCode), status.StatusCode == StatusCode.OK ? problem : status.Detail);
        }

        Console.Out.WriteLine($"enrolled as {enrolled.Identity} of fleet {enrolled.Identity.Fleet}, until {enrolled.NotAfter.UtcDateTime:u}: {files.IdentityPath}");
        return (int)ExitCode.Ok;
    }

    private static EnrolmentToken? TryReadToken(string path, out string problem)
    {
        try
        {
            if (path == "-")
            {
                return IdentityStart.TryReadToken(Console.In, "standard input", out problem);
            }

            using StreamReader reader = File.OpenText(path);
            return IdentityStart.TryReadToken(reader, path, out problem);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = e.Message;
            return null;
        }
    }

    private static ExitCode ExitCodeOf(StatusCode code) => code switch
    {
        StatusCode.PermissionDenied or StatusCode.InvalidArgument or StatusCode.ResourceExhausted => ExitCode.Denied,
        StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled => ExitCode.Unavailable,
        _ => ExitCode.Failure,
    };

    private static int Fail(ExitCode code, string problem)
    {
        Console.Error.WriteLine($"nodeagent: {problem}");
        return (int)code;
    }
}

/// <summary>What <c>nodeagent enrol</c> was told.</summary>
internal sealed record EnrolArguments(string TokenFile, Uri Server, string? ServerName, string? Directory, bool Force)
{
    /// <summary>False: <paramref name="error"/> is one sentence, or empty where help was asked for.</summary>
    internal static bool TryParse(IReadOnlyList<string> arguments, out EnrolArguments parsed, out string error)
    {
        Dictionary<string, string> values = [];
        error = "";
        bool force = false;
        for (int i = 0; i < arguments.Count && error.Length == 0; i++)
        {
            string option = arguments[i];
            if (option == "--force")
            {
                force = true;
            }
            else if (option is not ("--token-file" or "--server" or "--server-name" or "--directory"))
            {
                // Never repeated: it may be a token that somebody took for an argument.
                error = option.StartsWith("--", StringComparison.Ordinal) && option.Length < 24 ? $"unknown option '{option}'" : "enrol takes options only; the token comes from --token-file";
            }
            else if (i + 1 == arguments.Count || !values.TryAdd(option, arguments[++i]))
            {
                error = $"{option} needs one value";
            }
        }

        Uri? server = null;
        if (error.Length == 0 && !(values.ContainsKey("--token-file") && values.ContainsKey("--server")))
        {
            error = "enrol needs --token-file and --server";
        }
        else if (error.Length == 0 && (server = ParseServer(values["--server"])) is null)
        {
            error = $"--server: '{values["--server"]}' is no HOST or HOST:PORT";
        }

        parsed = new EnrolArguments(
            values.GetValueOrDefault("--token-file", ""), server ?? new Uri("https://localhost"), values.GetValueOrDefault("--server-name"), values.GetValueOrDefault("--directory"), force);
        return error.Length == 0;
    }

    private static Uri? ParseServer(string text)
    {
        string address = text.StartsWith("https://", StringComparison.Ordinal) ? text : $"https://{text}";
        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) || uri.Scheme != Uri.UriSchemeHttps || uri.Host.Length == 0 || uri.PathAndQuery != "/")
        {
            return null;
        }

        bool hasPort = uri.GetComponents(UriComponents.StrongPort, UriFormat.Unescaped) is var port && (port != "443" || text.EndsWith(":443", StringComparison.Ordinal));
        return hasPort ? uri : new UriBuilder(uri) { Port = IdentitySettings.DefaultPort }.Uri;
    }
}
