using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Sensors;

/// <summary>Names of hwmon chips and files, as node_exporter makes them.</summary>
internal static class HwmonNames
{
    /// <summary>
    /// A name for a chip that survives a restart (hwmon3 does not): the last two parts of its device's path, else the driver's
    /// name, else the folder's.
    /// </summary>
    public static string Chip(string hwmonDirectory)
    {
        string? device = Sysfs.ResolveLink(Path.Combine(hwmonDirectory, "device"));
        if (device is not null)
        {
            string kind = Clean(Path.GetFileName(Path.GetDirectoryName(device)) ?? "");
            string name = Clean(Path.GetFileName(device));
            if (name.Length > 0)
            {
                return kind.Length > 0 ? $"{kind}_{name}" : name;
            }
        }

        string driver = Clean(Sysfs.ReadText(Path.Combine(hwmonDirectory, "name")));
        return driver.Length > 0 ? driver : Clean(Path.GetFileName(hwmonDirectory));
    }

    /// <summary>Lower case, with everything but letters, digits, colon and underscore replaced by an underscore.</summary>
    public static string Clean(string name)
    {
        char[] cleaned = name.ToLowerInvariant().ToCharArray();
        for (int i = 0; i < cleaned.Length; i++)
        {
            if (!char.IsAsciiLetterLower(cleaned[i]) && !char.IsAsciiDigit(cleaned[i]) && cleaned[i] is not (':' or '_'))
            {
                cleaned[i] = '_';
            }
        }

        return new string(cleaned).Trim('_');
    }

    /// <summary>Splits "temp1_max" into temp, temp1 and max. False for a file that is no element of a numbered sensor.</summary>
    public static bool TrySplit(string file, out string kind, out string sensor, out string element)
    {
        kind = sensor = element = "";
        int bar = file.IndexOf('_', StringComparison.Ordinal);
        if (bar <= 0)
        {
            return false;
        }

        sensor = file[..bar];
        element = file[(bar + 1)..];
        kind = sensor.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
        return kind.Length > 0 && kind.Length < sensor.Length && element.Length > 0;
    }
}
