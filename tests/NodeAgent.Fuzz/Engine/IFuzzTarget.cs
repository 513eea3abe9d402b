namespace NodeAgent.Fuzz.Engine;

/// <summary>One parser of bytes that somebody else wrote.</summary>
internal interface IFuzzTarget
{
    /// <summary>In snake_case: the command line, the fixture folder and the file of a failing input carry it.</summary>
    string Name { get; }

    /// <summary>Whole inputs to start from; at least one.</summary>
    IReadOnlyList<byte[]> Seeds { get; }

    /// <summary>Pieces of the format that flipping bits would rarely find.</summary>
    IReadOnlyList<byte[]> Dictionary => [];

    /// <summary>The parsers that this target drives; a test asks for every one in the product.</summary>
    IReadOnlyList<Type> Covers => [];

    /// <summary>Swallows the parser's documented exception and no other; throws where an invariant does not hold.</summary>
    void Run(ReadOnlySpan<byte> input);
}
