using System.Globalization;

namespace NodeAgent.Ctl.Text;

/// <summary>Host names as Slurm writes them: "gpu-[01-03,07],storage". What scontrol show hostnames takes apart again.</summary>
internal static class HostList
{
    public static string Compress(IEnumerable<string> names) =>
        string.Join(',', names.Distinct(StringComparer.Ordinal).Select(Split).GroupBy(name => (name.Prefix, name.Digits.Length)).OrderBy(group => group.Key.Prefix, StringComparer.Ordinal)
            .ThenBy(group => group.Key.Length).Select(group => Of(group.Key.Prefix, [.. group.Select(name => name.Digits).Order(StringComparer.Ordinal)])));

    // Numbers with the same count of digits order as text; more than eighteen do not fit a long and stay names.
    private static (string Prefix, string Digits) Split(string name)
    {
        int digits = name.Reverse().TakeWhile(char.IsAsciiDigit).Count();
        return digits > 18 ? (name, "") : (name[..^digits], name[^digits..]);
    }

    private static string Of(string prefix, string[] digits)
    {
        if (digits is [var only]) return prefix + only;
        List<string> ranges = [];
        for (int from = 0, to; from < digits.Length; from = to + 1)
        {
            for (to = from; to + 1 < digits.Length && Number(digits[to + 1]) == Number(digits[to]) + 1; to++)
            {
            }

            ranges.Add(from == to ? digits[from] : $"{digits[from]}-{digits[to]}");
        }

        return $"{prefix}[{string.Join(',', ranges)}]";
    }

    private static long Number(string digits) => long.Parse(digits, CultureInfo.InvariantCulture);
}
