using System.Globalization;

namespace NodeAgent.Benchmarks;

/// <summary>Options of the form <c>--name number</c>.</summary>
internal static class Arguments
{
    internal static int Number(string[] arguments, string name, int fallback)
    {
        int at = Array.IndexOf(arguments, name);
        return at < 0 ? fallback
            : at + 1 < arguments.Length && int.TryParse(arguments[at + 1], CultureInfo.InvariantCulture, out int value) && value > 0 ? value
            : throw new ArgumentException($"{name} needs a positive number");
    }

    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : sorted[sorted.Length / 2];
    }
}
