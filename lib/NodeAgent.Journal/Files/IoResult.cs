namespace NodeAgent.Journal.Files;

/// <summary>What one file call said: a value, or the error number. Neither is ever thrown.</summary>
/// <param name="Value">A handle, a count of bytes or a length; 0 where the call has nothing to return.</param>
/// <param name="Errno">0, or an <see cref="Files.Errno"/> number.</param>
public readonly record struct IoResult(long Value, int Errno)
{
    public bool Ok => Errno == 0;

    public static IoResult Done(long value = 0) => new(value, 0);

    public static IoResult Fail(int errno) => new(0, errno);
}
