using System.Globalization;

namespace NodeAgent.Agent.Actuator;

/// <summary>The users of this host, as its own file says.</summary>
internal static class SystemUsers
{
    private const string DefaultFile = "/etc/passwd"; // passwd(5)

    /// <summary>The number of a user; null: there is none of that name.</summary>
    /// <param name="user">A name, or a number, which is taken as it is.</param>
    /// <param name="file">In the format of passwd(5).</param>
    internal static uint? Find(string user, string file = DefaultFile)
    {
        if (uint.TryParse(user, NumberStyles.None, CultureInfo.InvariantCulture, out uint number)) return number;
        try
        {
            foreach (string line in File.ReadLines(file))
            {
                string[] fields = line.Split(':');
                if (fields.Length > 2 && fields[0] == user && uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out number)) return number;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Who cannot be looked up may not ask.
            return null;
        }

        return null;
    }
}
