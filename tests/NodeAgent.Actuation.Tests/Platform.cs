using System.Runtime.Versioning;

// What acts here is Linux's: kernel files, pidfds, tc, systemd. On Windows these tests skip, each saying so.
[assembly: SupportedOSPlatform("linux")]
