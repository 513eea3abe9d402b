using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Windows;

/// <summary>
/// Space of the fixed drives with a letter: GetLogicalDrives, GetDriveTypeW, GetVolumeInformationW, GetDiskFreeSpaceExW. Sizes are
/// those of the agent's account where quotas are set, as the last call documents. A drive can hang: it needs a beat of its own.
/// </summary>
internal sealed class WindowsFilesystemSampler(IWin32 win32) : ISampler
{
    private const int Letters = 26;
    private const int NameLength = 261; // MAX_PATH + 1
    private const uint DriveFixed = 3; // DRIVE_FIXED, fileapi.h
    private const uint ReadOnlyVolume = 0x0008_0000; // FILE_READ_ONLY_VOLUME, winnt.h

    private static readonly MetricDefinition[] PerDrive =
    [
        FilesystemMetrics.SizeBytes, FilesystemMetrics.FreeBytes, FilesystemMetrics.AvailableBytes, FilesystemMetrics.ReadOnly,
        FilesystemMetrics.DeviceError,
    ];

    private readonly string[] _types = Enumerable.Repeat("", Letters).ToArray(); // by letter; the last one a volume told
    private readonly uint[] _flags = new uint[Letters];
    private readonly char[] _name = new char[NameLength];
    private uint _drives;

    public string Name => "filesystem";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        uint present = win32.GetLogicalDrives();
        if (present == 0)
        {
            return SampleStatus.Failed; // a system without any letter could not have started
        }

        ReadVolumes(present, out uint drives, out uint known, out bool isRenamed);
        if (drives != _drives || isRenamed)
        {
            RebuildColumns(drives);
        }

        int column = 0;
        for (int letter = 0; letter < Letters; letter++)
        {
            if (Has(drives, letter))
            {
                Read(letter, Has(known, letter), column);
                column += PerDrive.Length;
            }
        }

        return drives == 0 ? SampleStatus.NoData : SampleStatus.Ok;
    }

    private void ReadVolumes(uint present, out uint drives, out uint known, out bool isRenamed)
    {
        (drives, known, isRenamed) = (0, 0, false);
        Span<char> root = stackalloc char[4];
        for (int letter = 0; letter < Letters; letter++)
        {
            SetRoot(root, letter);
            if (!Has(present, letter) || win32.GetDriveType(root) != DriveFixed)
            {
                continue;
            }

            drives |= 1u << letter;
            if (!win32.GetVolumeInformation(root, _name, out _flags[letter]))
            {
                continue; // locked, or without a file system
            }

            known |= 1u << letter;
            ReadOnlySpan<char> type = UpToNul(_name);
            if (!type.SequenceEqual(_types[letter]))
            {
                _types[letter] = type.ToString();
                isRenamed = true;
            }
        }
    }

    private void Read(int letter, bool isKnown, int column)
    {
        Span<char> root = stackalloc char[4];
        SetRoot(root, letter);
        if (isKnown)
        {
            Series.Set(column + 3, (_flags[letter] & ReadOnlyVolume) != 0 ? 1 : 0);
        }

        if (!win32.GetDiskFreeSpace(root, out ulong available, out ulong size, out ulong free))
        {
            Series.Set(column + 4, 1);
            return;
        }

        Series.Set(column, size);
        Series.Set(column + 1, free);
        Series.Set(column + 2, available);
        Series.Set(column + 4, 0);
    }

    private void RebuildColumns(uint drives)
    {
        _drives = drives;
        Series.Rebuild();
        for (int letter = 0; letter < Letters; letter++)
        {
            if (!Has(drives, letter))
            {
                _types[letter] = ""; // whatever gets the letter next is another volume
                continue;
            }

            string device = $"{(char)('A' + letter)}:";
            foreach (MetricDefinition metric in PerDrive)
            {
                Series.Add(metric, new Label("device", device), new Label("mountpoint", device + '\\'), new Label("fstype", _types[letter]));
            }
        }
    }

    private static bool Has(uint drives, int letter) => (drives & (1u << letter)) != 0;

    private static void SetRoot(Span<char> root, int letter)
    {
        ":\\\0".CopyTo(root[1..]);
        root[0] = (char)('A' + letter);
    }

    private static ReadOnlySpan<char> UpToNul(ReadOnlySpan<char> text)
    {
        int end = text.IndexOf('\0');
        return end < 0 ? text : text[..end];
    }
}
