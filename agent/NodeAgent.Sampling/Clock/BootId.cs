using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Clock;

/// <summary>Identity of this boot of the kernel, constant until the next (Documentation/admin-guide/sysctl/kernel.rst, random).</summary>
public static class BootId
{
    /// <summary>Lower-case with hyphens, as the kernel prints it; null where it cannot be read or is no UUID.</summary>
    public static string? TryRead(HostRoots roots)
    {
        using KernelFile? file = KernelFile.TryOpen(Path.Combine(roots.Proc, "sys/kernel/random/boot_id"), 64);
        return file is not null && file.TryRead(out ReadOnlySpan<byte> text) && TryParse(text, out Guid id) ? id.ToString() : null;
    }

    internal static bool TryParse(ReadOnlySpan<byte> text, out Guid id)
    {
        id = default;
        return text.Length is 36 or 37 && System.Buffers.Text.Utf8Parser.TryParse(text, out id, out int consumed, 'D') && consumed == 36;
    }
}
