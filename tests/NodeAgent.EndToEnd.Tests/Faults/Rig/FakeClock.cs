namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>
/// The wall clock as a process sees it, through libfaketime; the monotonic clocks stay true. Can be moved while the process runs.
/// </summary>
internal sealed class FakeClock
{
    private static readonly string[] Places =
    [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib64/faketime/libfaketime.so.1",
    ];

    private readonly string _file;
    private readonly string _library;

    private FakeClock(string file, string library)
    {
        _file = file;
        _library = library;
    }

    /// <summary>Starts with a setting, or skips the test.</summary>
    /// <param name="folder">For its file.</param>
    /// <param name="setting">As in faketime(1): <c>+0</c>, <c>+3h</c>, <c>@1970-01-01 00:00:10</c>, <c>+0 x10</c>.</param>
    internal static FakeClock MakeOrSkip(string folder, string setting)
    {
        string? library = Places.FirstOrDefault(File.Exists);
        Assert.SkipUnless(library is not null, "libfaketime is not installed (apt-get install libfaketime)");
        FakeClock clock = new(Path.Combine(folder, "faketime"), library!);
        clock.Set(setting);
        return clock;
    }

    /// <summary>Moves the clock, at once.</summary>
    internal void Set(string setting)
    {
        string next = _file + ".next";
        File.WriteAllText(next, setting + "\n");
        File.Move(next, _file, overwrite: true);
    }

    internal Launcher Launcher => Launcher.Plain
        .And("LD_PRELOAD", _library)
        .And("FAKETIME_TIMESTAMP_FILE", _file)
        .And("FAKETIME_NO_CACHE", "1")
        .And("DONT_FAKE_MONOTONIC", "1")
        .And("NO_FAKE_STAT", "1");
}
