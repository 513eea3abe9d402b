namespace NodeAgent.Ctl.Tests.Harness;

/// <summary>Collects output and tells when the third line is complete, so that a test can act in the middle of a stream.</summary>
internal sealed class LineWriter : StringWriter
{
    private readonly TaskCompletionSource _third = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _lines;

    public LineWriter() => NewLine = "\n";

    public Task ThirdLine => _third.Task;

    public override void Write(string? value)
    {
        base.Write(value);
        _lines += value?.Count(c => c == '\n') ?? 0;
        if (_lines >= 3) _third.TrySetResult();
    }
}
