namespace NodeAgent.Rpc.Blocking.Http2;

/// <summary>
/// Credit that the peer has used up, on a stream or on the connection. What comes is taken off at once, so a peer that respects its window
/// never sees it closed and one that does not harms nobody; credit is held back until half the window has gone, because two small frames
/// would otherwise cost two WINDOW_UPDATEs.
/// </summary>
internal sealed class ReceiveWindow
{
    private int _used;

    /// <summary>Bytes came. The credit to give back now; 0: not worth a frame yet.</summary>
    internal int Take(int count)
    {
        _used += count;
        if (_used < PeerSettings.DefaultWindow / 2)
        {
            return 0;
        }

        int credit = _used;
        _used = 0;
        return credit;
    }
}
