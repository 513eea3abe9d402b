using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Aggregator.Operations;

/// <summary>Backups that are asked for while the aggregator runs.</summary>
internal sealed class BackupSettings
{
    internal string? Directory { get; set; }

    internal string? KeyFile { get; set; }

    internal string? PassphraseFile { get; set; }

    internal static SettingCatalog<BackupSettings> Settings { get; } = SettingCatalog.Define<BackupSettings>(s => s
        .OptionalFilePath("directory", o => o.Directory, (o, v) => o.Directory = v,
            "The folder for what `nodectl backup` writes; made if missing. Nothing is written anywhere else. Null: there are no backups on demand.",
            example: "/var/backups/nodeagent")
        .OptionalFilePath("key_file", o => o.KeyFile, (o, v) => o.KeyFile = v,
            "Encrypts backups with the key in this file: 32 bytes or 64 hexadecimal digits, as `openssl rand -hex 32` makes them. Without the file "
            + "nobody can read the backup: keep a copy elsewhere.",
            example: "/etc/nodeagent/backup.key")
        .OptionalFilePath("passphrase_file", o => o.PassphraseFile, (o, v) => o.PassphraseFile = v,
            "Encrypts backups with the passphrase in this file instead of a key.")
        .Rule(["passphrase_file"], o => o.KeyFile is not null && o.PassphraseFile is not null ? "key_file is given too; a backup has one key" : null)
        .Rule(["key_file", "passphrase_file"], o => o.Directory is null && (o.KeyFile ?? o.PassphraseFile) is not null ? "it needs directory" : null));
}
