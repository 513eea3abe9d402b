using System.Text;
using NodeAgent.Sampling.Events;

namespace NodeAgent.Sampling.Tests.Events;

/// <summary>A kernel log of a fixed size: what is written beyond it overwrites the oldest, as the kernel's ring does.</summary>
internal sealed class ScriptedKernelLog(int capacity = int.MaxValue) : IKernelLog
{
    private readonly List<string> _records = [];
    private int _position;
    private int _oldest;

    public bool IsBroken { get; set; }

    /// <summary>Number of reads, empty ones included: what the reader costs.</summary>
    public int Reads { get; private set; }

    public void Write(string text, ulong microseconds, int priority = 6)
    {
        _records.Add($"{priority},{_records.Count},{microseconds},-;{text}\n SUBSYSTEM=test\n");
        _oldest = Math.Max(_oldest, _records.Count - capacity);
    }

    public void WriteRaw(string record) => _records.Add(record);

    public KernelLogRead Read(Span<byte> buffer, out int length)
    {
        length = 0;
        Reads++;
        if (IsBroken)
        {
            return KernelLogRead.Failed;
        }

        if (_position < _oldest)
        {
            _position = _oldest;
            return KernelLogRead.Overrun;
        }

        if (_position >= _records.Count)
        {
            return KernelLogRead.Empty;
        }

        string record = _records[_position++];
        if (record.Length > buffer.Length)
        {
            return KernelLogRead.TooLong;
        }

        length = Encoding.UTF8.GetBytes(record, buffer);
        return KernelLogRead.Record;
    }
}
