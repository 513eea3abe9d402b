using System.Net;
using System.Net.Sockets;

namespace NodeAgent.Hosting.Configuration;

/// <summary>Free text on one line.</summary>
internal sealed class TextKind(int maxLength, bool allowEmpty) : SettingKind<string>
{
    public override string Name => "text";

    public override string Allowed => $"{(allowEmpty ? "text" : "text that is not empty")}, at most {maxLength} characters on one line";

    public override bool TryRead(RawValue raw, out string value)
    {
        value = raw.Text;
        return raw.Kind is RawKind.String or RawKind.Text
            && value.Length <= maxLength && (allowEmpty || value.Trim().Length > 0) && !value.Any(char.IsControl);
    }

    public override string ToJson(string value) => JsonText.String(value);
}

/// <summary>A path of this system; whether it exists is for its user to find out, at the time of use.</summary>
internal sealed class PathKind(bool absolute) : SettingKind<string>
{
    public override string Name => "path";

    public override string Allowed => absolute ? "an absolute path" : "a path";

    public override bool TryRead(RawValue raw, out string value)
    {
        value = raw.Text;
        return raw.Kind is RawKind.String or RawKind.Text
            && value.Trim().Length > 0 && !value.Any(char.IsControl) && (!absolute || Path.IsPathFullyQualified(value));
    }

    public override string ToJson(string value) => JsonText.String(value);
}

/// <summary>The address of a server to call: scheme, host and port, no path, no user.</summary>
internal sealed class EndpointKind(IReadOnlyList<string> schemes) : SettingKind<Uri>
{
    public override string Name => "endpoint";

    public override string Allowed =>
        $"an address such as \"{schemes[0]}://host.example:7443\" ({string.Join(" or ", schemes)}, no path, no user)";

    public override bool TryRead(RawValue raw, out Uri value)
    {
        value = null!;
        if (raw.Kind is not (RawKind.String or RawKind.Text)
            || !Uri.TryCreate(raw.Text, UriKind.Absolute, out Uri? uri)
            || !schemes.Contains(uri.Scheme)
            || uri.Host.Length == 0 || uri.AbsolutePath is not "/" || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0)
        {
            return false;
        }

        value = uri;
        return true;
    }

    public override string ToJson(Uri value) => JsonText.String(value.GetLeftPart(UriPartial.Authority));
}

/// <summary>An address to listen on. A name is refused: which of its addresses would be meant changes with the resolver.</summary>
internal sealed class ListenKind : SettingKind<IPEndPoint>
{
    public override string Name => "listen address";

    public override string Allowed => "an IP address with a port, such as \"0.0.0.0:7443\", \"[::]:7443\" or \"127.0.0.1:0\" (0: any free port)";

    public override bool TryRead(RawValue raw, out IPEndPoint value)
    {
        // TryParse takes an address without a port as port 0, which would silently listen elsewhere; "fe80::0" is one of those.
        value = null!;
        if (raw.Kind is not (RawKind.String or RawKind.Text)
            || !IPEndPoint.TryParse(raw.Text, out IPEndPoint? parsed)
            || !raw.Text.EndsWith($":{parsed.Port}", StringComparison.Ordinal)
            || (parsed.AddressFamily == AddressFamily.InterNetworkV6 && raw.Text[0] != '['))
        {
            return false;
        }

        value = parsed;
        return true;
    }

    public override string ToJson(IPEndPoint value) => JsonText.String(value.ToString());
}

/// <summary>A list of one kind; as text, separated by commas.</summary>
internal sealed class ListKind<TItem>(SettingKind<TItem> item, int maxItems) : SettingKind<IReadOnlyList<TItem>>
{
    public override string Name => $"list of {item.Name}";

    public override string Allowed => $"a list of at most {maxItems}, each {item.Allowed}";

    public override bool TryRead(RawValue raw, out IReadOnlyList<TItem> value)
    {
        List<TItem> items = [];
        value = items;
        foreach (RawValue one in Items(raw))
        {
            if (items.Count == maxItems || !item.TryRead(one, out TItem read))
            {
                return false;
            }

            items.Add(read);
        }

        return raw.Kind is RawKind.List or RawKind.Text;
    }

    public override string ToJson(IReadOnlyList<TItem> value) => $"[{string.Join(", ", value.Select(item.ToJson))}]";

    private static IEnumerable<RawValue> Items(RawValue raw) => raw.Kind switch
    {
        RawKind.List => raw.Items!,
        RawKind.Text => raw.Text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(text => new RawValue(RawKind.Text, text)),
        _ => [],
    };
}
