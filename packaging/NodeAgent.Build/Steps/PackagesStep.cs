using System.Diagnostics;
using NodeAgent.Build.Packaging;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Steps;

/// <summary>
/// <c>./build.sh e2e --packages</c>: a clean Debian, booted by systemd in a container without a network, in which packaging/e2e/inside.sh
/// installs, enrols, watches, breaks, upgrades and purges the packages. Where that cannot be, says what is missing and ends with 0.
/// </summary>
internal static class PackagesStep
{
    private const string Success = "install, run, watchdog, upgrade, purge: ok";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    private static string Folder { get; } = Path.Combine(Repository.Root, "artifacts", "e2e");

    /// <param name="isPublished">artifacts/publish holds the programs already, such as after ./build.sh pack.</param>
    internal static async Task<int> RunAsync(bool isPublished)
    {
        if (WhyNot() is { } missing)
        {
            Console.WriteLine($"e2e --packages: SKIPPED: {missing}");
            return 0;
        }

        if (!await MakeRootAsync().ConfigureAwait(false))
        {
            Console.WriteLine("e2e --packages: SKIPPED: mmdebstrap could not make a Debian (no package archive?)");
            return 0;
        }

        if (await PackStep.ProgramsAsync(isPublished, withWindows: false).ConfigureAwait(false) is not { } programs)
        {
            return 1;
        }

        string root = Path.Combine(Folder, "run");
        try
        {
            return await PrepareAsync(root, programs).ConfigureAwait(false) ? await BootAsync(root).ConfigureAwait(false) : 1;
        }
        finally
        {
            await Shell.RunAsync("rm", ["-rf", "--one-file-system", root]).ConfigureAwait(false);
        }
    }

    private static string? WhyNot()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
        {
            return "it boots a container, which takes Linux and root";
        }

        string[] tools = [.. new[] { ("systemd-nspawn", "systemd-container"), ("mmdebstrap", "mmdebstrap"), ("unshare", "util-linux") }
            .Where(tool => Tool.Find(tool.Item1) is null).Select(tool => $"{tool.Item1} is not installed (apt-get install {tool.Item2})")];
        return tools.Length > 0 ? string.Join("; ", tools) : null;
    }

    // Made once and kept: it is the same for every run, and a package archive is not always there.
    private static async Task<bool> MakeRootAsync()
    {
        string root = Path.Combine(Folder, "debian");
        if (File.Exists(Path.Combine(root, "sbin", "init")))
        {
            return true;
        }

        Directory.CreateDirectory(Folder);
        string half = root + ".half";
        await Shell.RunAsync("rm", ["-rf", half]).ConfigureAwait(false);
        int code = await Shell.RunAsync("mmdebstrap",
            ["--quiet", "--variant=minbase", "--include=systemd,systemd-sysv,dbus,init-system-helpers,libssl3,libstdc++6", "bookworm", half]).ConfigureAwait(false);
        if (code != 0)
        {
            return false;
        }

        Directory.Move(half, root);
        return true;
    }

    private static async Task<bool> PrepareAsync(string root, Programs programs)
    {
        await Shell.RunAsync("rm", ["-rf", root]).ConfigureAwait(false);
        if (await Shell.RunAsync("cp", ["-a", Path.Combine(Folder, "debian"), root]).ConfigureAwait(false) != 0)
        {
            return false;
        }

        Release release = await Release.OfThisTreeAsync().ConfigureAwait(false);
        await WritePackagesAsync(Path.Combine(root, "e2e", "first"), programs, release).ConfigureAwait(false);
        await WritePackagesAsync(Path.Combine(root, "e2e", "second"), programs, release with { Version = release.Version + "+e2e" }).ConfigureAwait(false);
        File.Copy(Path.Combine(Repository.Root, "packaging", "e2e", "inside.sh"), Path.Combine(root, "e2e", "inside.sh"));
        await File.WriteAllTextAsync(Path.Combine(root, "etc", "hosts"), "127.0.0.1 localhost\n").ConfigureAwait(false); // mmdebstrap's smallest has none
        string units = Path.Combine(root, "etc", "systemd", "system");
        await File.WriteAllTextAsync(Path.Combine(units, "e2e.service"),
            """
            [Unit]
            After=basic.target dbus.service
            SuccessAction=poweroff-force
            FailureAction=poweroff-force
            [Service]
            Type=oneshot
            ExecStart=/bin/bash /e2e/inside.sh
            StandardOutput=file:/e2e/log
            TimeoutStartSec=6min

            """).ConfigureAwait(false);
        Directory.CreateDirectory(Path.Combine(units, "multi-user.target.wants"));
        File.CreateSymbolicLink(Path.Combine(units, "multi-user.target.wants", "e2e.service"), "/etc/systemd/system/e2e.service");
        return true;
    }

    private static async Task WritePackagesAsync(string folder, Programs programs, Release release)
    {
        Directory.CreateDirectory(folder);
        foreach (Package package in new ProductPackages(programs).All)
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, DebianPackage.FileName(package, release)), DebianPackage.Create(package, release)).ConfigureAwait(false);
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "version"), release.Version).ConfigureAwait(false);
    }

    // A mount namespace of its own with a cgroup2 tree, so that the machine's own init system, if any, is not asked and not touched.
    private static async Task<int> BootAsync(string root)
    {
        const string Script = "mount --make-rprivate / && { umount -R /sys/fs/cgroup 2>/dev/null || true; } && mount -t cgroup2 none /sys/fs/cgroup && "
            + "exec systemd-nspawn -q -D \"$0\" --register=no --keep-unit --boot --private-network --console=pipe systemd.show_status=no";
        string console = Path.Combine(Folder, "console.log");
        ProcessStartInfo start = new("unshare", ["-m", "sh", "-c", Script, root]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"] = "1";
        using Process container = Process.Start(start)!;
        Task<string> output = container.StandardOutput.ReadToEndAsync();
        Task<string> error = container.StandardError.ReadToEndAsync();
        using CancellationTokenSource limit = new(Limit);
        try
        {
            await container.WaitForExitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            container.Kill(entireProcessTree: true);
            Console.Error.WriteLine($"e2e --packages: the container did not end within {Limit.TotalMinutes:0} minutes");
        }

        await File.WriteAllTextAsync(console, await output.ConfigureAwait(false) + await error.ConfigureAwait(false)).ConfigureAwait(false);
        string log = Path.Combine(root, "e2e", "log");
        if (!File.Exists(log))
        {
            Console.WriteLine($"e2e --packages: SKIPPED: systemd does not boot in a container here (see {Path.GetRelativePath(Repository.Root, console)})");
            return 0;
        }

        string text = await File.ReadAllTextAsync(log).ConfigureAwait(false);
        Console.Write(text);
        return text.TrimEnd().EndsWith(Success, StringComparison.Ordinal) ? 0 : 1;
    }
}
