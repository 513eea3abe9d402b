namespace NodeAgent.Sampling.Inventory;

/// <summary>A list of processors as the kernel prints it (cpumap_print_to_pagebuf): "0-63,128-191".</summary>
internal static class CpuListParser
{
    /// <summary>How many there are; 0 where the text has another form.</summary>
    public static uint Count(string text)
    {
        uint count = 0;
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = part.Split('-');
            if (ends.Length > 2 || !uint.TryParse(ends[0], out uint first) || !uint.TryParse(ends[^1], out uint last) || last < first || last > 1 << 20)
            {
                return 0;
            }

            count += last - first + 1;
        }

        return count;
    }
}
