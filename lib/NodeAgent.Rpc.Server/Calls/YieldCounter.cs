namespace NodeAgent.Rpc.Server.Calls;

/// <summary>Counts the messages of one call, both ways, since it last let others run.</summary>
internal sealed class YieldCounter(int messagesBetweenYields)
{
    private int _messages;

    /// <summary>True for every n-th message. Reads and writes of a call may count at once; a lost count does no harm.</summary>
    internal bool Due()
    {
        if (++_messages < messagesBetweenYields)
        {
            return false;
        }

        _messages = 0;
        return true;
    }
}
