using System.Text.RegularExpressions;

namespace NodeAgent.Ctl.Bundle;

/// <summary>
/// Takes secrets out of text that leaves the site: private keys, tokens, passwords and what looks like one. Rather too much than too little: a
/// value that was not secret can be asked for, one that was cannot be taken back. Counts what it took.
/// </summary>
internal sealed partial class Redactor
{
    internal const string Mark = "[redacted]";

    /// <summary>Places where something was taken out.</summary>
    public int Count { get; private set; }

    public string Clean(string text)
    {
        text = Replace(PrivateKey(), text, "");
        text = Replace(JoinToken(), text, "");
        text = Replace(Authorisation(), text, "$1");
        text = Replace(UserOfAddress(), text, "$1");
        text = Replace(CommandLine(), text, "$1");
        return Replace(Setting(), text, "$1");
    }

    private string Replace(Regex pattern, string text, string before) => pattern.Replace(text, match =>
    {
        Count++;
        return match.Result(before) + Mark;
    });

    [GeneratedRegex(@"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\z)", RegexOptions.Singleline)]
    private static partial Regex PrivateKey();

    [GeneratedRegex(@"\bna1\.[A-Za-z0-9_\-.]{8,}")]
    private static partial Regex JoinToken();

    [GeneratedRegex(@"((?:Authorization|Proxy-Authorization|Cookie|Set-Cookie)\s*[:=]\s*).+", RegexOptions.IgnoreCase)]
    private static partial Regex Authorisation();

    [GeneratedRegex(@"([a-z][a-z0-9+.\-]*://)[^/\s""@]+(?=@)", RegexOptions.IgnoreCase)]
    private static partial Regex UserOfAddress();

    [GeneratedRegex(@"(--(?:password|passphrase|token|secret|key)[= ])(?!/)\S+", RegexOptions.IgnoreCase)]
    private static partial Regex CommandLine();

    // A key that names a secret, but not the file or the address that it is in: "password": "x", token=x, WEBHOOK_SECRET=x.
    [GeneratedRegex(@"(\b[\w\-]*(?:password|passphrase|passwd|secret|token|api_?key|private_?key|community)(?!\w*_file)[\w\-]*[""']?\s*[:=]\s*)(?:""(?:[^""\\]|\\.)*""|'[^']*'|[^\s,;}]+)", RegexOptions.IgnoreCase)]
    private static partial Regex Setting();
}
