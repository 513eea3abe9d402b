namespace NodeAgent.Rpc.Server.Calls;

/// <summary>One direction of a call, seen by the call that owns its memory.</summary>
internal interface ICallBuffers
{
    /// <summary>Gives pooled memory back.</summary>
    void Release();
}
