using System.Globalization;

namespace NodeAgent.Placement.Solvers;

/// <summary>Reads linear programs in MPS format (fields separated by blanks; names without blanks), with ranges and bounds.</summary>
public static class MpsFile
{
    /// <exception cref="InvalidDataException">The text is not an MPS file.</exception>
    public static LinearProgram Read(TextReader reader)
    {
        var state = new State();
        string section = "";
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '*')
            {
                continue;
            }

            string[] fields = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length == 0)
            {
                continue;
            }

            if (line[0] is not ' ' and not '\t')
            {
                section = fields[0];
                if (section == "ENDATA")
                {
                    break;
                }

                continue;
            }

            state.Take(section, fields);
        }

        return state.Build();
    }

    private sealed class State
    {
        private readonly Dictionary<string, int> _rows = [];
        private readonly List<char> _kinds = [];
        private readonly List<double> _right = [];
        private readonly List<double> _ranges = [];
        private readonly Dictionary<string, int> _columns = [];
        private readonly List<List<(int, double)>> _entries = [];
        private readonly List<double> _costs = [];
        private readonly List<double> _lower = [];
        private readonly List<double> _upper = [];
        private string? _objective;

        public void Take(string section, string[] fields)
        {
            switch (section)
            {
                case "ROWS":
                    Row(fields);
                    break;
                case "COLUMNS":
                    Pairs(fields, fields.Length % 2, (row, value) => Entry(fields[0], row, value));
                    break;
                case "RHS":
                    Pairs(fields, fields.Length % 2, (row, value) => At(_right, row, value));
                    break;
                case "RANGES":
                    Pairs(fields, fields.Length % 2, (row, value) => At(_ranges, row, value));
                    break;
                case "BOUNDS":
                    Bound(fields);
                    break;
                case "NAME":
                    break;
                default:
                    throw new InvalidDataException($"section {section} is not known");
            }
        }

        public LinearProgram Build()
        {
            var program = new LinearProgram();
            for (int row = 0; row < _kinds.Count; row++)
            {
                (double lower, double upper) = Limits(_kinds[row], _right[row], _ranges[row]);
                program.AddRow(lower, upper);
            }

            for (int column = 0; column < _entries.Count; column++)
            {
                program.AddColumn(_costs[column], _lower[column], _upper[column], _entries[column]);
            }

            return program;
        }

        private static (double, double) Limits(char kind, double right, double range) => kind switch
        {
            'E' when double.IsNaN(range) => (right, right),
            'E' => range > 0 ? (right, right + range) : (right + range, right),
            'L' => (double.IsNaN(range) ? double.NegativeInfinity : right - Math.Abs(range), right),
            'G' => (right, double.IsNaN(range) ? double.PositiveInfinity : right + Math.Abs(range)),
            _ => (double.NegativeInfinity, double.PositiveInfinity),
        };

        private void Row(string[] fields)
        {
            if (fields[0] == "N" && _objective is null)
            {
                _objective = fields[1];
                return;
            }

            _rows.Add(fields[1], _kinds.Count);
            _kinds.Add(fields[0][0]);
            _right.Add(0);
            _ranges.Add(double.NaN);
        }

        private void Entry(string column, string row, double value)
        {
            if (!_columns.TryGetValue(column, out int number))
            {
                _columns.Add(column, number = _entries.Count);
                _entries.Add([]);
                _costs.Add(0);
                _lower.Add(0);
                _upper.Add(double.PositiveInfinity);
            }

            if (row == _objective)
            {
                _costs[number] = value;
            }
            else
            {
                _entries[number].Add((Known(_rows, row), value));
            }
        }

        private void At(List<double> list, string row, double value)
        {
            if (row != _objective)
            {
                list[Known(_rows, row)] = value;
            }
        }

        private void Bound(string[] fields)
        {
            // The name of the bound set may be missing.
            bool needsValue = fields[0] is not "FR" and not "MI" and not "PL" and not "BV";
            int at = fields.Length - (needsValue ? 2 : 1);
            at = !needsValue && fields.Length == 4 ? 2 : at;
            int column = Known(_columns, fields[at]);
            double value = needsValue ? Value(fields[at + 1]) : 0;
            (_lower[column], _upper[column]) = fields[0] switch
            {
                "UP" => (_lower[column] == 0 && value < 0 ? double.NegativeInfinity : _lower[column], value),
                "LO" => (value, _upper[column]),
                "FX" => (value, value),
                "FR" => (double.NegativeInfinity, double.PositiveInfinity),
                "MI" => (double.NegativeInfinity, _upper[column]),
                "PL" => (_lower[column], double.PositiveInfinity),
                _ => throw new InvalidDataException($"bound {fields[0]} is not known"),
            };
        }

        private static void Pairs(string[] fields, int hasName, Action<string, double> take)
        {
            for (int at = hasName; at + 1 < fields.Length; at += 2)
            {
                take(fields[at], Value(fields[at + 1]));
            }
        }

        private static int Known(Dictionary<string, int> names, string name) =>
            names.TryGetValue(name, out int number) ? number : throw new InvalidDataException($"{name} is not declared");

        private static double Value(string text) =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : throw new InvalidDataException($"\"{text}\" is not a number");
    }
}
