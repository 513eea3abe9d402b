using NodeAgent.Journal.Files;

namespace NodeAgent.Testing.Disk;

/// <summary>What goes wrong with a call.</summary>
public enum DiskFaultKind
{
    /// <summary>The call fails with an error number and does nothing.</summary>
    Error = 0,

    /// <summary>A write takes only part of its bytes; other calls fail with EINTR.</summary>
    ShortWrite = 1,

    /// <summary>A read answers with the bytes of another place in the file.</summary>
    MisdirectedRead = 2,
}

/// <summary>A fault that begins at the k-th call.</summary>
/// <param name="Kind">What goes wrong.</param>
/// <param name="Call">The call that fails, the first being 1.</param>
/// <param name="Errno">For <see cref="DiskFaultKind.Error"/>.</param>
/// <param name="Calls">How many calls in a row fail; <see cref="int.MaxValue"/>: all from then on.</param>
public sealed record DiskFault(DiskFaultKind Kind, long Call, int Errno, int Calls = 1)
{
    public bool Hits(long call) => call >= Call && call - Call < Calls;

    public override string ToString() => $"{Kind} {Journal.Files.Errno.Name(Errno)} at call {Call} x {Calls}";
}
