using System.Text;

namespace NodeAgent.Hosting;

/// <summary>The one spelling of names outside the source: log keys, setting values, generated pages.</summary>
internal static class SnakeCase
{
    /// <summary><c>PeerAddress</c>, <c>peerAddress</c> and <c>peer-address</c> become <c>peer_address</c>; <c>GPUCount</c> becomes <c>gpu_count</c>.</summary>
    public static string From(string name)
    {
        StringBuilder key = new(name.Length + 8);
        for (int i = 0; i < name.Length; i++)
        {
            char c = name[i];
            if (!char.IsAsciiLetterOrDigit(c))
            {
                AppendSeparator(key);
                continue;
            }

            if (char.IsAsciiLetterUpper(c) && i > 0 && StartsWord(name, i))
            {
                AppendSeparator(key);
            }

            key.Append(char.ToLowerInvariant(c));
        }

        while (key.Length > 0 && key[^1] == '_')
        {
            key.Length--;
        }

        return key.Length == 0 ? "_" : key.ToString();
    }

    private static bool StartsWord(string name, int at)
    {
        char before = name[at - 1];
        bool nextIsLower = at + 1 < name.Length && char.IsAsciiLetterLower(name[at + 1]);
        return char.IsAsciiLetterLower(before) || char.IsAsciiDigit(before) || (char.IsAsciiLetterUpper(before) && nextIsLower);
    }

    private static void AppendSeparator(StringBuilder key)
    {
        if (key.Length > 0 && key[^1] != '_')
        {
            key.Append('_');
        }
    }
}
