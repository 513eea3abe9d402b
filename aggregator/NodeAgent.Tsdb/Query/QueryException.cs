namespace NodeAgent.Tsdb.Query;

/// <summary>Why a query was refused or given up. Each has its own limit or rule, which the message names.</summary>
public enum QueryErrorKind
{
    /// <summary>The text cannot be parsed: <see cref="QuerySyntaxException"/>.</summary>
    Syntax = 1,

    /// <summary>A plan or a range that means nothing.</summary>
    InvalidArgument = 2,

    /// <summary><see cref="QueryLimits.MaxSeries"/>.</summary>
    TooManySeries = 3,

    /// <summary><see cref="QueryLimits.MaxSamples"/>.</summary>
    TooManySamples = 4,

    /// <summary><see cref="QueryLimits.MaxSteps"/>.</summary>
    TooManySteps = 5,

    /// <summary><see cref="QueryLimits.MaxMemoryBytes"/>.</summary>
    TooMuchMemory = 6,

    /// <summary><see cref="QueryLimits.MaxTime"/>.</summary>
    TimeLimit = 7,

    /// <summary><see cref="QueryLimits.MaxConcurrentPerCaller"/>.</summary>
    TooManyQueriesOfCaller = 8,

    /// <summary><see cref="QueryLimits.MaxConcurrent"/>.</summary>
    TooManyQueries = 9,

    /// <summary>Another engine, which holds the samples, refused or does not answer.</summary>
    RemoteEngine = 20,
}

/// <summary>A query that cannot be answered, with one sentence for the person who asked.</summary>
public class QueryException(QueryErrorKind kind, string message) : Exception(message)
{
    public QueryErrorKind Kind { get; } = kind;

    /// <summary>Whether the request itself is wrong (gRPC INVALID_ARGUMENT); otherwise a limit was reached (RESOURCE_EXHAUSTED).</summary>
    public bool IsCallersMistake => Kind is QueryErrorKind.Syntax or QueryErrorKind.InvalidArgument;
}
