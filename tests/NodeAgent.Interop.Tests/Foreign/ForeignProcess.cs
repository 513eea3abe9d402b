using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace NodeAgent.Interop.Tests.Foreign;

/// <summary>
/// A program of a foreign stack that speaks JSON lines on its standard streams. It ends when its input closes; one that does not is killed.
/// </summary>
internal sealed class ForeignProcess : IAsyncDisposable
{
    private static readonly TimeSpan ExitBound = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly Channel<JsonElement> _output = Channel.CreateUnbounded<JsonElement>();
    private readonly StringBuilder _errors = new();

    internal ForeignProcess(IReadOnlyList<string> command, IEnumerable<string> arguments)
    {
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(command[0], command.Skip(1).Concat(arguments))
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["PYTHONDONTWRITEBYTECODE"] = "1" },
            },
        };
        _process.OutputDataReceived += (_, line) => Received(line.Data);
        _process.ErrorDataReceived += (_, line) => Remember(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    internal async Task WriteAsync(object message)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(message));
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>The next line. Throws with everything the program said on its error stream when it ends or stays silent for longer than the bound.</summary>
    internal async Task<JsonElement> ReadAsync(TimeSpan bound)
    {
        try
        {
            return await _output.Reader.ReadAsync().AsTask().WaitAsync(bound);
        }
        catch (Exception error) when (error is TimeoutException or ChannelClosedException)
        {
            throw new InvalidOperationException($"{_process.StartInfo.FileName} said nothing for {bound}, or ended. Its error stream:\n{Errors}", error);
        }
    }

    /// <summary>Ends it at once, as a crash would.</summary>
    internal void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            using CancellationTokenSource bound = new(ExitBound);
            try
            {
                await _process.WaitForExitAsync(bound.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
            }
        }

        _process.Dispose();
    }

    private string Errors
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString();
            }
        }
    }

    private void Received(string? line)
    {
        if (line is null)
        {
            _output.Writer.Complete();
        }
        else if (line.StartsWith('{'))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            _output.Writer.TryWrite(document.RootElement.Clone());
        }
        else
        {
            Remember(line);
        }
    }

    private void Remember(string? line)
    {
        lock (_errors)
        {
            _errors.AppendLine(line);
        }
    }
}
