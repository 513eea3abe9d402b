using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Configuration;
using NodeAgent.Hosting.Lifetime;

namespace NodeAgent.Hosting.Programs;

/// <summary>
/// What SIGHUP does: reads all sources again. What is not good is reported and changes nothing. Of what is good, settings below
/// <c>log.</c> and those that the program takes itself apply at once; the others are named, because they wait for a restart.
/// One reload at a time.
/// </summary>
/// <param name="load">Reads the sources as the start did.</param>
/// <param name="started">What the program started with.</param>
/// <param name="apply">Called with a good configuration; gives the starts of keys that it has put into effect.</param>
/// <param name="notifier">Told how it went.</param>
/// <param name="time">For the protocol of a reload.</param>
/// <param name="log">For the events.</param>
internal sealed class ConfigurationReload<TOptions>(
    Func<LoadedConfiguration<TOptions>> load, LoadedConfiguration<TOptions> started, Func<TOptions, IReadOnlyList<string>> apply,
    ServiceNotifier notifier, TimeProvider time, ILogger log)
    where TOptions : class, new()
{
    private readonly Lock _gate = new();
    private readonly SettingCatalog<TOptions> _catalog = started.Catalog;

    // As text: an options object may be changed by whoever runs with it. Under _gate.
    private Dictionary<string, string> _running = Values(started.Catalog.View(started.Options));

    internal void Run()
    {
        lock (_gate)
        {
            notifier.Reloading(time);
            notifier.Ready(RunNeedsLock());
        }
    }

    private string RunNeedsLock()
    {
        LoadedConfiguration<TOptions> loaded = load();
        if (!loaded.IsValid)
        {
            foreach (ConfigurationError problem in loaded.Errors)
            {
                log.ConfigurationRefused(problem.ToString());
            }

            return $"running; the new configuration is not good ({loaded.Errors.Count} errors), the old one stays";
        }

        Dictionary<string, string> wanted = Values(_catalog.View(loaded.Options));
        string[] changed = [.. wanted.Keys.Union(_running.Keys).Where(key => wanted.GetValueOrDefault(key) != _running.GetValueOrDefault(key)).Order(StringComparer.Ordinal)];
        IReadOnlyList<string> taken = apply(loaded.Options);
        string[] waiting = [.. changed.Where(key => !taken.Any(start => key.StartsWith(start, StringComparison.Ordinal)))];
        string[] applied = [.. changed.Except(waiting)];
        foreach (string key in applied)
        {
            if (wanted.TryGetValue(key, out string? value))
            {
                _running[key] = value;
            }
            else
            {
                _running.Remove(key);
            }
        }

        log.ConfigurationReloaded(changed.Length, applied.Length == 0 ? "none" : string.Join(", ", applied));
        if (waiting.Length == 0)
        {
            return "running; the configuration was reloaded";
        }

        log.RestartNeeded(string.Join(", ", waiting));
        return $"running; a restart is needed for {string.Join(", ", waiting)}";
    }

    private static Dictionary<string, string> Values(IEnumerable<SettingView> settings)
    {
        Dictionary<string, string> values = new(StringComparer.Ordinal);
        Collect(settings, values);
        return values;
    }

    private static void Collect(IEnumerable<SettingView> settings, Dictionary<string, string> into)
    {
        foreach (SettingView setting in settings)
        {
            if (setting.Children is { } children)
            {
                Collect(children, into);
            }
            else
            {
                into[setting.Key] = setting.Json ?? "null";
            }
        }
    }
}
