namespace NodeAgent.Agent.Gpu.Supervision;

/// <summary>What can be asked of whoever holds the GPUs. Bus ids as <see cref="GpuOrders.Normalize"/> writes them; null: all.</summary>
internal interface IGpuHold
{
    /// <summary>Whether there is such a GPU.</summary>
    bool Knows(string busId);

    /// <summary>Handles and files are to be closed and not opened again.</summary>
    void Release(string? busId);

    /// <summary>Takes it back.</summary>
    void Reacquire(string? busId);

    /// <summary>Nothing of ours holds it. False while a call into the driver hangs: then a reset is not safe.</summary>
    bool IsReleased(string? busId);
}
