using System.Buffers.Binary;

namespace NodeAgent.Rpc.Blocking.Transport;

/// <summary>
/// What SslStream reads from and writes to: TLS records, one at a time and only whole ones, so that it never waits in the middle of one and
/// never keeps decrypted bytes that nobody asked for. During the handshake reads wait; afterwards a read without a whole record throws
/// <see cref="NoRecordException"/>, which SslStream lets through with its state unharmed.
/// </summary>
internal sealed class RecordStream(PlainTransport socket, Func<bool, bool> waitForSocket) : Stream
{
    private const int RecordHeader = 5;

    // RFC 8446, section 5.2: what a record may weigh at most, with everything that TLS 1.2 would still allow on top.
    private const int MaxRecord = RecordHeader + (16 * 1024) + 2048;
    private const int Smallest = 2 * 1024;

    private byte[] _input = new byte[Smallest];
    private int _start;
    private int _end;
    private int _exposed; // bytes of the present record that SslStream has not taken yet
    private byte[] _output = [];
    private int _outputStart;
    private int _outputEnd;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The handshake is over: reads no longer wait.</summary>
    internal bool IsEstablished { get; set; }

    /// <summary>Encrypted bytes that the socket would not take.</summary>
    internal bool HasOutput => _outputEnd > _outputStart;

    /// <summary>Length of the record that lies whole at the front; 0 where there is none.</summary>
    internal int WholeRecord
    {
        get
        {
            int length = RecordLength;
            return length > 0 && length <= _end - _start ? length : 0;
        }
    }

    private int RecordLength =>
        _end - _start < RecordHeader ? 0 : RecordHeader + BinaryPrimitives.ReadUInt16BigEndian(_input.AsSpan(_start + 3));

    /// <summary>Lets SslStream have the record at the front, and no byte behind it.</summary>
    internal void Expose() => _exposed = WholeRecord;

    /// <summary>Takes what the socket has.</summary>
    internal TransferResult Fill()
    {
        int needed = Math.Max(RecordLength, RecordHeader);
        if (needed > MaxRecord)
        {
            throw new IOException("the server does not speak TLS");
        }

        MakeRoom(needed);
        TransferResult result = socket.Read(_input, _end, _input.Length - _end, out int read);
        _end += read;
        return result;
    }

    /// <summary>Writes what was left over; false while some still is, or the connection is broken.</summary>
    internal TransferResult FlushOutput()
    {
        while (HasOutput)
        {
            TransferResult result = socket.Write(_output.AsSpan(_outputStart, _outputEnd - _outputStart), out int written);
            _outputStart += written;
            if (result != TransferResult.Done)
            {
                return result;
            }
        }

        _outputStart = _outputEnd = 0;
        return TransferResult.Done;
    }

    public override int Read(Span<byte> target)
    {
        if (target.IsEmpty)
        {
            return 0; // SslStream asks so before it takes a buffer
        }

        if (_exposed == 0)
        {
            if (IsEstablished)
            {
                throw new NoRecordException();
            }

            if (!WaitForRecord())
            {
                return 0;
            }
        }

        int count = Math.Min(target.Length, _exposed);
        _input.AsSpan(_start, count).CopyTo(target);
        _start += count;
        _exposed -= count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        if (!HasOutput)
        {
            TransferResult result = socket.Write(bytes, out int written);
            if (result == TransferResult.Broken)
            {
                throw new IOException(socket.Error);
            }

            bytes = bytes[written..];
        }

        Keep(bytes);
        while (!IsEstablished && HasOutput)
        {
            waitForSocket(true);
            ThrowIfBroken(FlushOutput());
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // What the socket did not take is kept, and written when it can be.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // False: the peer has ended the connection.
    private bool WaitForRecord()
    {
        while (WholeRecord == 0)
        {
            TransferResult result = Fill();
            ThrowIfBroken(result);
            if (result == TransferResult.Ended)
            {
                return false;
            }

            if (result == TransferResult.WouldBlock)
            {
                waitForSocket(false);
            }
        }

        Expose();
        return true;
    }

    private void ThrowIfBroken(TransferResult result)
    {
        if (result == TransferResult.Broken)
        {
            throw new IOException(socket.Error);
        }
    }

    private void Keep(ReadOnlySpan<byte> rest)
    {
        if (_output.Length - _outputEnd < rest.Length)
        {
            Array.Resize(ref _output, _outputEnd + rest.Length);
        }

        rest.CopyTo(_output.AsSpan(_outputEnd));
        _outputEnd += rest.Length;
    }

    private void MakeRoom(int record)
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }

        if (_input.Length - _start >= record && _end < _input.Length)
        {
            return;
        }

        byte[] target = _input.Length >= record && _start > 0 ? _input : new byte[Math.Clamp(2 * _input.Length, record, 2 * MaxRecord)];
        _input.AsSpan(_start, _end - _start).CopyTo(target);
        _input = target;
        (_start, _end) = (0, _end - _start);
    }

    /// <summary>No whole record has come. An IOException, because those SslStream hands on as they are.</summary>
    internal sealed class NoRecordException : IOException;
}
