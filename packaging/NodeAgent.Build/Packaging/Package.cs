using System.Text;

namespace NodeAgent.Build.Packaging;

/// <summary>What is installed together, whatever the format.</summary>
/// <param name="Name">Its name in every format.</param>
/// <param name="Summary">At most 80 characters, no article, no full stop.</param>
/// <param name="Description">Sentences, in paragraphs.</param>
/// <param name="Entries">Its files.</param>
/// <param name="HasService">It brings units, a user, and scripts that look after them.</param>
internal sealed record Package(string Name, string Summary, string[] Description, IReadOnlyList<PackageEntry> Entries, bool HasService)
{
    /// <summary>A paragraph in lines that fit every format's display.</summary>
    internal static IEnumerable<string> Wrap(string paragraph)
    {
        StringBuilder line = new();
        foreach (string word in paragraph.Split(' '))
        {
            if (line.Length + word.Length + 1 > 78)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length == 0 ? "" : " ").Append(word);
        }

        yield return line.ToString();
    }
}
