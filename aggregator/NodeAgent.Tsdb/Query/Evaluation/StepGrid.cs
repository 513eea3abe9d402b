namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>The moments of a query: start, start + step, ...</summary>
/// <param name="StartUnixMs">The first moment.</param>
/// <param name="StepMs">Distance of two moments.</param>
/// <param name="Count">How many.</param>
/// <param name="DefaultWindowMs">Window of a function that names none.</param>
internal readonly record struct StepGrid(long StartUnixMs, long StepMs, int Count, long DefaultWindowMs)
{
    public long EndUnixMs => StartUnixMs + ((Count - 1) * StepMs);
}
