using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Fuzz.Targets;

/// <summary>A configuration file: anything gives settings or errors with a position inside the file.</summary>
internal sealed class ConfigurationTarget : Engine.IFuzzTarget
{
    public string Name => "configuration";

    public IReadOnlyList<byte[]> Seeds { get; } =
    [
        "{ // why\n \"sampling\": { \"interval\": \"1.5s\", \"off\": [\"cpu\", \"disk\",], },\n \"a\": null, \"b\": -1.5e3, \"c\": true }"u8.ToArray(),
        "\uFEFF{\"name\": \"\\u00e9\\ud83d\\ude00\", /* and */ \"deep\": {\"er\": {\"x\": [[1]]}}}"u8.ToArray(),
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } = ["\\ud800"u8.ToArray(), "\"\":"u8.ToArray(), "{\"a\":{"u8.ToArray(), "[["u8.ToArray(), "\r\n"u8.ToArray()];

    public void Run(ReadOnlySpan<byte> input)
    {
        LoadReport report = new(_ => null);
        IReadOnlyList<RawSetting> settings = ConfigurationFile.Parse("fuzz.json", input.ToArray(), report);
        int lines = input.Count((byte)'\n') + 1;
        Invariant.Holds(settings.All(s => s.Source.Line >= 1 && s.Source.Line <= lines && s.Source.Column >= 1), "a setting stands in the file");
        Invariant.Holds(report.InOrder().All(e => e.Source.Line >= 1 && e.Source.Line <= lines && e.Source.Column >= 1), "an error stands in the file");
    }
}
