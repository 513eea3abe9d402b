namespace NodeAgent.Fuzz;

/// <summary>One parser of bytes that somebody else wrote. <see cref="Run"/> swallows the parser's documented exception and no other.</summary>
internal interface IFuzzTarget
{
    string Name { get; }

    IReadOnlyList<byte[]> Seeds { get; }

    void Run(ReadOnlySpan<byte> input);
}
