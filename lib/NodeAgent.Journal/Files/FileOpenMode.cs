namespace NodeAgent.Journal.Files;

/// <summary>The three ways in which a journal opens a file. None follows a symbolic link; all make files of mode 0600.</summary>
public enum FileOpenMode
{
    /// <summary>Must be there; for reading.</summary>
    Read = 0,

    /// <summary>Made when it is not there; for reading and writing.</summary>
    ReadWrite = 1,

    /// <summary>Must not be there (<see cref="Errno.Exists"/>); for reading and writing.</summary>
    CreateNew = 2,
}
