using System.Buffers;
using System.IO.Compression;
using Grpc.Core;

namespace NodeAgent.Rpc.Wire;

/// <summary>Message compression. The only one offered: every gRPC stack has it.</summary>
internal static class GzipCodec
{
    /// <summary>Compresses into <paramref name="output"/>.</summary>
    internal static void Compress(ReadOnlySpan<byte> payload, GrowingBuffer output)
    {
        using GZipStream gzip = new(new BufferStream(output), CompressionLevel.Fastest);
        gzip.Write(payload);
    }

    /// <summary>Decompresses, never past the limit: a few bytes can claim gigabytes.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED past the limit; INTERNAL when the bytes are no gzip.</exception>
    internal static void Decompress(in ReadOnlySequence<byte> payload, int maxLength, GrowingBuffer output)
    {
        // An empty payload is no gzip, yet GZipStream itself writes it for an empty message; peers that use it must not fail.
        if (payload.IsEmpty)
        {
            return;
        }

        try
        {
            using GZipStream gzip = new(new SequenceStream(payload), CompressionMode.Decompress);
            while (true)
            {
                Span<byte> free = output.GetSpan(1024);
                int read = gzip.Read(free);
                if (read == 0)
                {
                    return;
                }

                output.Advance(read);
                if (output.Length > maxLength)
                {
                    throw MessageFrame.TooLarge(output.Length, maxLength);
                }
            }
        }
        catch (InvalidDataException e)
        {
            throw new RpcException(new Status(StatusCode.Internal, "Malformed frame: the message is not valid gzip.", e));
        }
    }

    private sealed class BufferStream(GrowingBuffer buffer) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> source) => buffer.Write(source);

        public override void Write(byte[] source, int offset, int count) => buffer.Write(source.AsSpan(offset, count));

        public override void Flush()
        {
            // The bytes are where they should be already.
        }

        public override int Read(byte[] target, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }

    private sealed class SequenceStream(ReadOnlySequence<byte> remaining) : Stream
    {
        private ReadOnlySequence<byte> _remaining = remaining;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> target)
        {
            int count = (int)Math.Min(target.Length, _remaining.Length);
            _remaining.Slice(0, count).CopyTo(target);
            _remaining = _remaining.Slice(count);
            return count;
        }

        public override int Read(byte[] target, int offset, int count) => Read(target.AsSpan(offset, count));

        public override void Flush()
        {
            // Nothing is ever written.
        }

        public override void Write(byte[] source, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
