using NodeAgent.Ctl.Output;

namespace NodeAgent.Ctl.Top;

/// <summary>
/// The live view's loop: three things can happen (a key, an answer, the time for the next question), each is handled as it
/// comes, and the screen is drawn after each. A slow aggregator therefore never delays a key.
/// </summary>
internal sealed class TopSession(TopModel model, TopSource source, CtlWorld world, bool colour)
{
    // Alternate screen and hidden cursor, so that the shell's contents come back unharmed; synchronised output (mode 2026)
    // where the terminal has it, so that no half-drawn frame is seen.
    private const string Enter = "\e[?1049h\e[?25l\e[2J";
    private const string Leave = "\e[?25h\e[?1049l";
    private const string BeginFrame = "\e[?2026h\e[H";
    private const string EndFrame = "\e[J\e[?2026l";

    public async Task RunAsync(CancellationToken cancellation)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        world.Out.Write(Enter);
        try
        {
            await LoopAsync(ending.Token).ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            world.Out.Write(Leave);
            world.Out.Flush();
        }
    }

    private async Task LoopAsync(CancellationToken cancellation)
    {
        Task<ConsoleKeyInfo> key = world.Terminal.ReadKeyAsync(cancellation).AsTask();
        Task<TopSnapshot>? answer = source.FetchAsync(cancellation);
        Task tick = Task.Delay(model.Interval, world.Time, cancellation);
        Draw();
        while (!model.Finished)
        {
            await Task.WhenAny(answer is null ? [key, tick] : [key, tick, answer]).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            if (key.IsCompleted)
            {
                model.Press(await key.ConfigureAwait(false), TopScreen.Page(world.Terminal.Height));
                key = world.Terminal.ReadKeyAsync(cancellation).AsTask();
            }

            if (answer is { IsCompleted: true })
            {
                await TakeAsync(answer).ConfigureAwait(false);
                answer = null;
            }

            if (tick.IsCompleted)
            {
                // An answer that takes longer than the interval is waited for, not asked for twice.
                if (!model.Paused) answer ??= source.FetchAsync(cancellation);
                tick = Task.Delay(model.Interval, world.Time, cancellation);
            }

            Draw();
        }
    }

    private async Task TakeAsync(Task<TopSnapshot> answer)
    {
        try
        {
            model.Arrived(await answer.ConfigureAwait(false));
        }
        catch (CtlException failure) when (model.Snapshot is not null)
        {
            // Later failures are shown and outlived: the view is what somebody watches during the outage. The first one ends
            // the command, because it is a wrong address more often than a bad moment.
            model.Failed(failure.Why);
        }
    }

    private void Draw()
    {
        int width = world.Terminal.Width;
        StyledLines lines = TopScreen.Render(model, width, world.Terminal.Height);
        world.Out.Write(Frame(lines, width, colour));
        world.Out.Flush();
    }

    /// <summary>Every line is erased to its end, and none ends with a line feed after the last, which would scroll.</summary>
    internal static string Frame(StyledLines lines, int width, bool colour)
    {
        string text;
        if (colour)
        {
            using StringWriter writer = new() { NewLine = "\n" };
            Printer.Console(writer, width).Write(lines);
            text = writer.ToString();
        }
        else
        {
            text = string.Join('\n', lines.PlainLines());
        }

        return BeginFrame + text.ReplaceLineEndings("\n").TrimEnd('\n').Replace("\n", "\e[K\r\n", StringComparison.Ordinal) + "\e[K" + EndFrame;
    }
}
