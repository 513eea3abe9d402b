using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace NodeAgent.Agent.Gpu.Readings;

/// <summary>
/// Memory that the agent and one reader share: how values cross without a system call, a wake-up or an allocation on either side, and
/// without the agent ever waiting. A reader that dies or hangs leaves it behind; the next one gets another.
/// </summary>
/// <remarks>
/// The agent's side is not disposed but forgotten, and unmapped by the finalizer: several threads look at it, and one that looked a moment
/// too long at unmapped memory would end the agent. Whoever holds a reference into it keeps the object itself, too.
/// </remarks>
internal sealed unsafe partial class SharedReadings : IDisposable
{
    private const uint MemfdFlags = 0; // inherited by the reader: not close-on-exec

    private static readonly long Size = sizeof(ReadingsHead) + ((long)ReadingsHead.MostGpus * sizeof(GpuBlock));

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    private SharedReadings(MemoryMappedFile file, string name)
    {
        _file = file;
        _view = file.CreateViewAccessor(0, Size);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
        Name = name;
    }

    /// <summary>What the reader is told, to find it.</summary>
    internal string Name { get; }

    internal ref ReadingsHead Head => ref *(ReadingsHead*)_start;

    internal ReadingsHead* HeadPointer => (ReadingsHead*)_start;

    internal ref GpuBlock Gpu(int slot) => ref ((GpuBlock*)(_start + sizeof(ReadingsHead)))[slot];

    /// <summary>Makes new memory, all zero.</summary>
    internal static SharedReadings Create()
    {
        if (OperatingSystem.IsWindows())
        {
            string name = $"nodeagent-gpu-{Environment.ProcessId}-{Guid.NewGuid():N}";
            return new SharedReadings(CreateNamed(name), name);
        }

        int fd = CreateMemory("nodeagent-gpu", MemfdFlags);
        if (fd < 0 || Truncate(fd, Size) != 0)
        {
            throw new IOException($"memory to share with the GPU reader cannot be made: error {Marshal.GetLastPInvokeError()}");
        }

        return new SharedReadings(OfDescriptor(fd), fd.ToString());
    }

    /// <summary>To be called once its reader runs: no later child shall inherit it.</summary>
    internal void CloseToChildren()
    {
        const int SetFlags = 2; // F_SETFD
        if (!OperatingSystem.IsWindows())
        {
            _ = Control(int.Parse(Name), SetFlags, 1); // FD_CLOEXEC
        }
    }

    /// <summary>The reader's side of it.</summary>
    internal static SharedReadings Open(string name) =>
        new(OperatingSystem.IsWindows() ? OpenNamed(name) : OfDescriptor(int.Parse(name)), name);

    /// <summary>
    /// Copies a block as it was at one moment. False: the reader was in the middle of writing all the while (it died or hangs there); the
    /// copy means nothing.
    /// </summary>
    internal bool TryCopy(int slot, out GpuBlock copy)
    {
        ref GpuBlock block = ref Gpu(slot);
        const int Attempts = 8; // a write takes microseconds
        for (int i = 0; i < Attempts; i++)
        {
            long before = Volatile.Read(ref block.Sequence);
            if ((before & 1) != 0)
            {
                Thread.SpinWait(200);
                continue;
            }

            copy = block;
            Thread.MemoryBarrier();
            if (Volatile.Read(ref block.Sequence) == before)
            {
                return true;
            }
        }

        copy = default;
        return false;
    }

    internal static void Write(Span<byte> into, ReadOnlySpan<char> text)
    {
        into.Clear();
        Encoding.UTF8.TryGetBytes(text[..Math.Min(text.Length, into.Length - 1)], into[..^1], out _);
    }

    internal static string Read(ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? text : text[..end]);
    }

    ~SharedReadings() => _view?.SafeMemoryMappedViewHandle.ReleasePointer();

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    // The descriptor is the mapping's from now on and closed with it.
    private static MemoryMappedFile OfDescriptor(int fd) => MemoryMappedFile.CreateFromFile(
        new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(fd, ownsHandle: true), FileAccess.ReadWrite, 0),
        null, Size, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);

    [SupportedOSPlatform("windows")]
    private static MemoryMappedFile CreateNamed(string name) => MemoryMappedFile.CreateNew(name, Size);

    [SupportedOSPlatform("windows")]
    private static MemoryMappedFile OpenNamed(string name) => MemoryMappedFile.OpenExisting(name);

    // Named in glibc since 2.27, musl since 1.1.20.
    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateMemory(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int fd, int command, int argument);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int Truncate(int fd, long size);
}
