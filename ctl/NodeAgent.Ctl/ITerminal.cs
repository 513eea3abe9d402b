namespace NodeAgent.Ctl;

/// <summary>The terminal as far as nodectl cares: is it one, how large is it now, which keys are pressed.</summary>
internal interface ITerminal
{
    /// <summary>Standard output goes to a terminal.</summary>
    bool OutputIsTerminal { get; }

    /// <summary>Standard input is a terminal, so keys can be read.</summary>
    bool InputIsTerminal { get; }

    /// <summary>Cells in a line, now.</summary>
    int Width { get; }

    /// <summary>Lines, now.</summary>
    int Height { get; }

    /// <summary>The next key without echo. Ends with <see cref="OperationCanceledException"/>.</summary>
    ValueTask<ConsoleKeyInfo> ReadKeyAsync(CancellationToken cancellation);
}
