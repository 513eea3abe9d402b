namespace NodeAgent.Ctl.Connection;

/// <summary>The connection options as given on the command line; null: not given.</summary>
internal sealed record ConnectionFlags(string? Server, string? Ca, string? Certificate, string? Key, string? Profile, bool Plaintext, TimeSpan Timeout);
