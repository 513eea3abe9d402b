namespace NodeAgent.Interop.Tests.Hosting;

/// <summary>Every status code but OK, as theory rows.</summary>
public static class ErrorCodes
{
    public static TheoryData<int> All => [.. Enumerable.Range(1, 16)];
}
