namespace NodeAgent.Agent.Spool;

/// <summary>Where what is appended goes.</summary>
internal enum SpoolMode
{
    /// <summary>To the disk: it survives the agent's end.</summary>
    Durable = 0,

    /// <summary>The disk fails or there is none: to memory only, whose bound is small.</summary>
    MemoryOnly = 1,
}
