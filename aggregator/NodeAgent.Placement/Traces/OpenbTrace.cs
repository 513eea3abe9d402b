using System.Globalization;
using System.IO.Compression;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Traces;

/// <summary>A row of a pod file of the openb trace.</summary>
/// <param name="CpuMilli">Thousandths of a core.</param>
/// <param name="MemoryMiB">Host memory.</param>
/// <param name="GpuCount">Devices.</param>
/// <param name="GpuMilli">Thousandths of each.</param>
/// <param name="Models">Acceptable models, separated by |; empty: any.</param>
public readonly record struct TracePod(int CpuMilli, int MemoryMiB, int GpuCount, int GpuMilli, string Models);

/// <summary>The arrival order and the node ranks of one seed.</summary>
public sealed record ArrivalOrder(int Seed, int[] Pods, int[] NodeRanks);

/// <summary>
/// Reads the files of the openb trace (Alibaba GPU cluster trace 2023, as used by FGD): nodes, pods, and arrival orders.
/// </summary>
public static class OpenbTrace
{
    /// <summary>Columns sn,cpu_milli,memory_mib,gpu,model.</summary>
    /// <exception cref="InvalidDataException">A line is not of that form.</exception>
    public static NodeSpec[] ReadNodes(TextReader reader)
    {
        var nodes = new List<NodeSpec>();
        foreach (string[] cells in Rows(reader, "cpu_milli", "memory_mib", "gpu", "model", "sn"))
        {
            nodes.Add(new NodeSpec(cells[4], cells[3], Number(cells[2]), Number(cells[0]), Number(cells[1])));
        }

        return [.. nodes];
    }

    /// <summary>Columns cpu_milli, memory_mib, num_gpu, gpu_milli and, where the file has it, gpu_spec.</summary>
    /// <exception cref="InvalidDataException">A line is not of that form.</exception>
    public static TracePod[] ReadPods(TextReader reader)
    {
        var pods = new List<TracePod>();
        foreach (string[] cells in Rows(reader, "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec?"))
        {
            pods.Add(new TracePod(Number(cells[0]), Number(cells[1]), Number(cells[2]), Number(cells[3]), cells[4]));
        }

        return [.. pods];
    }

    /// <summary>Triples of lines: "S seed", "P" with row numbers of the pod file, "N" with the rank of every node. Plain or gzip.</summary>
    /// <exception cref="InvalidDataException">A line is not of that form.</exception>
    public static IEnumerable<ArrivalOrder> ReadOrders(Stream stream, bool compressed)
    {
        using Stream plain = compressed ? new GZipStream(stream, CompressionMode.Decompress) : stream;
        using var reader = new StreamReader(plain);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0)
            {
                continue;
            }

            int seed = Numbers(line, 'S')[0];
            int[] pods = Numbers(reader.ReadLine(), 'P');
            yield return new ArrivalOrder(seed, pods, Numbers(reader.ReadLine(), 'N'));
        }
    }

    /// <summary>The nodes in the order of their ranks, so that the smaller number wins a tie.</summary>
    public static FleetCatalog Ranked(NodeSpec[] nodes, int[] ranks)
    {
        NodeSpec[] ordered = [.. nodes];
        Array.Sort([.. ranks], ordered);
        return new FleetCatalog(ordered);
    }

    /// <summary>What a pod asks for on a fleet.</summary>
    public static Demand DemandOf(TracePod pod, FleetCatalog catalog) =>
        new(pod.CpuMilli, pod.MemoryMiB, pod.GpuCount, pod.GpuCount == 0 ? 0 : pod.GpuMilli, catalog.ModelSet(pod.Models.Split('|', StringSplitOptions.RemoveEmptyEntries)));

    private static IEnumerable<string[]> Rows(TextReader reader, params string[] columns)
    {
        string header = reader.ReadLine() ?? throw new InvalidDataException("the file is empty");
        string[] names = header.Split(',');
        int[] at = [.. columns.Select(column => Array.IndexOf(names, column.TrimEnd('?')))];
        for (int column = 0; column < columns.Length; column++)
        {
            if (at[column] < 0 && !columns[column].EndsWith('?'))
            {
                throw new InvalidDataException($"no column {columns[column]} in \"{header}\"");
            }
        }

        for (int line = 2; reader.ReadLine() is { } row; line++)
        {
            if (row.Length == 0)
            {
                continue;
            }

            string[] cells = row.Split(',');
            if (cells.Length < names.Length)
            {
                throw new InvalidDataException($"line {line} has {cells.Length} cells instead of {names.Length}");
            }

            yield return [.. at.Select(index => index < 0 ? "" : cells[index])];
        }
    }

    private static int Number(string cell) =>
        int.TryParse(cell, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value) ? value : throw new InvalidDataException($"\"{cell}\" is not a number");

    private static int[] Numbers(string? line, char kind)
    {
        if (line is null || line.Length == 0 || line[0] != kind)
        {
            throw new InvalidDataException($"expected a line {kind}");
        }

        return [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(Number)];
    }
}
