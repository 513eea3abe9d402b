using System.Globalization;

namespace NodeAgent.Fuzz.Engine;

/// <summary>One input and what makes it again: the target, the seed number and its place in the row.</summary>
internal sealed record FuzzInput(string Target, int Seed, long Iteration, byte[] Bytes);

/// <summary>Says what came out, and keeps the inputs that failed, ready to become a fixture.</summary>
internal sealed class FailureReport(string folder, TextWriter lines)
{
    internal void Held(string target, long tried, TimeSpan took, int seed) => lines.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{target}: {tried} inputs held, {tried / Math.Max(took.TotalSeconds, 1e-3):F0}/s, seed {seed}"));

    internal void Failed(FuzzInput input, string why)
    {
        string path = Path.Combine(Directory.CreateDirectory(folder).FullName, $"{input.Target}-{input.Seed}-{input.Iteration}.bin");
        File.WriteAllBytes(path, input.Bytes);
        lines.WriteLine(
            $"{input.Target}: FAILED at seed {input.Seed}, iteration {input.Iteration}, saved as {path}\n"
            + $"  input {Convert.ToHexString(input.Bytes)}\n  {why}");
        lines.Flush();
    }
}
