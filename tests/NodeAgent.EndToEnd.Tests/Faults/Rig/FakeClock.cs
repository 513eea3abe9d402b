using System.IO.MemoryMappedFiles;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>
/// The wall clock as one process sees it: jumps, races, stands still, while the process runs; the monotonic clocks stay true.
/// The process loads fakeclock.c, which reads what is written here.
/// </summary>
internal sealed class FakeClock : IDisposable
{
    private const int Bytes = 32; // struct bend

    private readonly string _file;
    private readonly string _library;
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private long _version;

    private FakeClock(string file, string library)
    {
        _file = file;
        _library = library;
        File.WriteAllBytes(file, new byte[Bytes]);
        _mapping = MemoryMappedFile.CreateFromFile(file, FileMode.Open);
        _view = _mapping.CreateViewAccessor(0, Bytes);
        True();
    }

    /// <summary>A true clock to begin with; skips the test where the shim cannot be made.</summary>
    internal static FakeClock MakeOrSkip(string folder)
    {
        string library = Path.Combine(folder, "fakeclock.so");
        string source = Path.Combine(Repository.Root, "tests", "NodeAgent.EndToEnd.Tests", "Faults", "Rig", "fakeclock.c");
        Assert.SkipUnless(
            Tool.TryRun(out string why, "gcc", "-O2", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, source, "-ldl"), $"the clock shim cannot be built: {why}");
        return new FakeClock(Path.Combine(folder, "clock"), library);
    }

    internal Launcher Launcher => Launcher.Plain.And("LD_PRELOAD", _library).And("NODEAGENT_FAKE_CLOCK", _file);

    /// <summary>The true time again, at once.</summary>
    internal void True() => Bend(Fault.NowUnixMs, 1);

    /// <summary>So far from the true time, at once.</summary>
    internal void Jump(TimeSpan by) => Bend(Fault.NowUnixMs + (long)by.TotalMilliseconds, 1);

    /// <summary>From a moment on, in milliseconds since 1970 UTC, at the true pace.</summary>
    internal void StartAt(long unixMs) => Bend(unixMs, 1);

    /// <summary>From now on so many times as fast as it should be; 0 stands still.</summary>
    internal void Pace(double rate) => Bend(Fault.NowUnixMs, rate);

    public void Dispose()
    {
        _view.Dispose();
        _mapping.Dispose();
    }

    private void Bend(long fakeUnixMs, double rate)
    {
        _view.Write(0, ++_version);
        Thread.MemoryBarrier();
        _view.Write(8, Fault.NowUnixMs * 1_000_000);
        _view.Write(16, fakeUnixMs * 1_000_000);
        _view.Write(24, rate);
        Thread.MemoryBarrier();
        _view.Write(0, ++_version);
    }
}
