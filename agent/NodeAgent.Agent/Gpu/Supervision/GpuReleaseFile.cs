using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using NodeAgent.Nvml;

namespace NodeAgent.Agent.Gpu.Supervision;

/// <summary>
/// The order to let go of GPUs as a file, for whoever resets one by hand or by script, with or without an aggregator. While
/// <see cref="OrderName"/> names a GPU, the agent does not hold it, also after a restart; <see cref="AnswerName"/> names those that nothing of ours
/// holds any more. Both have a PCI bus id a line, or "all"; "#" begins a comment. Docs: docs/gpu-release.md.
/// </summary>
internal sealed partial class GpuReleaseFile
{
    internal const string OrderName = "release";
    internal const string AnswerName = "released";
    private const string All = "all";

    // A file written twice within the clock's grain has one time; so what was written just now is read again.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly string _orderFile;
    private readonly string _answerFile;
    private readonly IGpuHold _gpus;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Action _obey;
    private HashSet<string> _ordered = [];
    private string[] _answered = [];
    private string _complaint = "";
    private long _seen = DateTime.FromFileTimeUtc(0).Ticks;
    private bool _isOwed = true;
    private int _isBusy;

    internal GpuReleaseFile(string folder, IGpuHold gpus, TimeProvider time, ILogger log)
    {
        _orderFile = Path.Combine(folder, OrderName);
        _answerFile = Path.Combine(folder, AnswerName);
        (_gpus, _time, _log) = (gpus, time, log);
        _obey = ObeyAndRest;
    }

    /// <summary>Called by the tick: one stat; the work is done elsewhere, and only where there is some.</summary>
    internal void Look()
    {
        if ((Volatile.Read(ref _isOwed) || Stamp() != Volatile.Read(ref _seen)) && Interlocked.Exchange(ref _isBusy, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static obey => ((Action)obey!)(), _obey);
        }
    }

    /// <summary>Reads the order, gives it, and says what has been done so far. One thread at a time.</summary>
    internal void Obey()
    {
        long stamp = Stamp();
        if (!IsTrusted())
        {
            Volatile.Write(ref _seen, stamp);
            Volatile.Write(ref _isOwed, false);
            return;
        }

        HashSet<string> wanted = ReadOrder();
        bool isAllTakenBack = _ordered.Contains(All) && !wanted.Contains(All);
        foreach (string busId in _ordered.Where(busId => !wanted.Contains(busId)))
        {
            _gpus.Reacquire(busId == All ? null : busId);
        }

        // To take all back takes back every single one.
        foreach (string busId in wanted.Where(busId => isAllTakenBack || !_ordered.Contains(busId)))
        {
            _gpus.Release(busId == All ? null : busId);
        }

        _ordered = wanted;
        bool isAnswered = Answer();
        Volatile.Write(ref _seen, stamp);
        Volatile.Write(ref _isOwed, !isAnswered || Math.Abs(_time.GetUtcNow().UtcTicks - stamp) < Fresh.Ticks);
    }

    private void ObeyAndRest()
    {
        try
        {
            Obey();
        }
        finally
        {
            Volatile.Write(ref _isBusy, 0);
        }
    }

    private long Stamp() => File.GetLastWriteTimeUtc(_orderFile).Ticks;

    // Whoever may write the folder could also lay a link where the answer goes.
    private bool IsTrusted()
    {
        foreach (string path in new[] { _orderFile, Path.GetDirectoryName(_orderFile)! })
        {
            if (!OperatingSystem.IsWindows() && Path.Exists(path) && !UnixOwner.IsOutOfOthersReach(path))
            {
                Complain($"{path} can be written by others than root and this user");
                return false;
            }
        }

        return true;
    }

    private HashSet<string> ReadOrder()
    {
        HashSet<string> wanted = [];
        if (!File.Exists(_orderFile))
        {
            _complaint = "";
            return wanted;
        }

        string problem = "";
        try
        {
            foreach (string line in File.ReadLines(_orderFile))
            {
                string word = line.Split('#')[0].Trim();
                string busId = GpuOrders.Normalize(word);
                if (word == All || (BusId().IsMatch(word) && _gpus.Knows(busId)))
                {
                    wanted.Add(word == All ? All : busId);
                }
                else if (word.Length > 0)
                {
                    problem = BusId().IsMatch(word) ? $"there is no GPU {word} here" : $"\"{word}\" is neither a bus id such as 0000:18:00.0 nor \"{All}\"";
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Complain(e.Message);
            return _ordered;
        }

        Complain(problem);
        return wanted;
    }

    // True: all that was ordered is done, and said.
    private bool Answer()
    {
        string[] done = [.. _ordered.Where(busId => _gpus.IsReleased(busId == All ? null : busId)).Order(StringComparer.Ordinal)];
        if (!done.SequenceEqual(_answered) || (done.Length == 0 && File.Exists(_answerFile)))
        {
            try
            {
                Write(done);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Complain($"{_answerFile} cannot be written: {e.Message}");
                return false;
            }

            foreach (string busId in done.Except(_answered))
            {
                _log.GpuLetGo(busId);
            }

            _answered = done;
        }

        return done.Length == _ordered.Count;
    }

    private void Write(string[] done)
    {
        if (done.Length == 0)
        {
            File.Delete(_answerFile);
            return;
        }

        string draft = _answerFile + ".new";
        File.WriteAllLines(draft, done);
        File.Move(draft, _answerFile, overwrite: true);
    }

    private void Complain(string problem)
    {
        if (problem != _complaint && problem.Length > 0)
        {
            _log.GpuReleaseOrderUnusable(_orderFile, problem);
        }

        _complaint = problem;
    }

    [GeneratedRegex("^([0-9a-fA-F]{4}|[0-9a-fA-F]{8}):[0-9a-fA-F]{2}:[0-9a-fA-F]{2}([.][0-7])?$", RegexOptions.CultureInvariant)]
    private static partial Regex BusId();
}
