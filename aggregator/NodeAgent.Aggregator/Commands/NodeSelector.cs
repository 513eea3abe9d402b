using System.IO.Enumeration;

namespace NodeAgent.Aggregator.Commands;

/// <summary>Names with * and ?, separated by commas; "all". What names no node is an error: a typing mistake must not shrink a rollout.</summary>
internal static class NodeSelector
{
    /// <summary>The names, sorted.</summary>
    /// <exception cref="ArgumentException">Empty, or a part names no node.</exception>
    internal static IReadOnlyList<string> Resolve(string selector, IReadOnlyCollection<string> nodes)
    {
        SortedSet<string> found = new(StringComparer.Ordinal);
        string[] parts = selector.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length == 0)
        {
            throw new ArgumentException("a selector is needed: names with * and ?, separated by commas, or all");
        }

        foreach (string part in parts)
        {
            string pattern = part == "all" ? "*" : part;
            int before = found.Count;
            bool any = false;
            foreach (string node in nodes.Where(node => FileSystemName.MatchesSimpleExpression(pattern, node, ignoreCase: false)))
            {
                any = true;
                found.Add(node);
            }

            if (!any && found.Count == before)
            {
                throw new ArgumentException($"'{part}' names no node that this aggregator has seen");
            }
        }

        return [.. found];
    }
}
