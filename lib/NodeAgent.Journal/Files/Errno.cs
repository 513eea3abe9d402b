namespace NodeAgent.Journal.Files;

/// <summary>Linux error numbers (include/uapi/asm-generic/errno-base.h, errno.h). Other systems are mapped to these.</summary>
public static class Errno
{
    public const int NoEntry = 2;
    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int BadHandle = 9;
    public const int WouldBlock = 11;
    public const int AccessDenied = 13;
    public const int Exists = 17;
    public const int NotDirectory = 20;
    public const int IsDirectory = 21;
    public const int InvalidArgument = 22;
    public const int NoSpace = 28;
    public const int ReadOnlyFileSystem = 30;
    public const int NotImplemented = 38;
    public const int TooManyLinks = 40;
    public const int NotSupported = 95;
    public const int QuotaExceeded = 122;

    /// <summary>The symbol that an operator searches for, like ENOSPC.</summary>
    public static string Name(int errno) => errno switch
    {
        0 => "OK",
        NoEntry => "ENOENT",
        Interrupted => "EINTR",
        InputOutput => "EIO",
        BadHandle => "EBADF",
        WouldBlock => "EAGAIN",
        AccessDenied => "EACCES",
        Exists => "EEXIST",
        NotDirectory => "ENOTDIR",
        IsDirectory => "EISDIR",
        InvalidArgument => "EINVAL",
        NoSpace => "ENOSPC",
        ReadOnlyFileSystem => "EROFS",
        NotImplemented => "ENOSYS",
        TooManyLinks => "ELOOP",
        NotSupported => "EOPNOTSUPP",
        QuotaExceeded => "EDQUOT",
        _ => $"errno {errno}",
    };
}
