using System.Globalization;
using System.Text.RegularExpressions;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Inventory;

/// <summary>Where a device is on PCI, and what kind of device it is.</summary>
internal static partial class PciAddress
{
    // PCI Code and ID Assignment: base class and subclass. 03 display (00 VGA, 02 3D controller), 12 processing accelerator.
    private const uint Vga = 0x0300;
    private const uint Controller3D = 0x0302;
    private const uint Accelerator = 0x1200;

    private static readonly uint[] AcceleratorVendors = [0x10de, 0x1002, 0x8086, 0x1da3, 0x1d0f]; // NVIDIA, AMD, Intel, Habana, Annapurna (Trainium)

    /// <summary>The last PCI address on the way to a device: its own, or that of the controller it hangs on; "" where there is none.</summary>
    /// <param name="link">A class entry's <c>device</c> link.</param>
    public static string Of(string link)
    {
        string? path = Sysfs.ResolveLink(link);
        return path is null ? "" : Last(path);
    }

    /// <summary>As <see cref="Of"/>, of a resolved path.</summary>
    public static string Last(string path)
    {
        string found = "";
        foreach (string part in path.Split('/'))
        {
            found = Form().IsMatch(part) ? part : found;
        }

        return found;
    }

    /// <summary>
    /// Whether a device is a GPU or another accelerator. A VGA controller counts only from a vendor of accelerators: that of a
    /// server's management controller (ASPEED, Matrox) or of a virtual machine is none.
    /// </summary>
    public static bool IsAccelerator(uint classCode, uint vendor) => (classCode >> 8) switch
    {
        Controller3D or Accelerator => true,
        Vga => AcceleratorVendors.Contains(vendor),
        _ => false,
    };

    /// <summary>An attribute such as 0x10de; 0 where it cannot be read.</summary>
    public static uint ReadHex(string path)
    {
        string text = Sysfs.ReadText(path);
        return text.StartsWith("0x", StringComparison.Ordinal)
            && uint.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, null, out uint value) ? value : 0;
    }

    [GeneratedRegex("^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]$", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
