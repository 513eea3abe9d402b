using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Commands;

/// <summary>Adds the expression and a caret to the errors that the aggregator reports with a position.</summary>
internal static class Expressions
{
    public static async Task<T> Pointing<T>(string expression, Task<T> answer)
    {
        try
        {
            return await answer.ConfigureAwait(false);
        }
        catch (CtlException failure) when (failure.Code == ExitCode.Usage)
        {
            throw Point(expression, failure);
        }
    }

    public static async IAsyncEnumerable<T> Pointing<T>(string expression, IAsyncEnumerable<T> answers)
    {
        await using IAsyncEnumerator<T> each = answers.GetAsyncEnumerator();
        while (await Next(each).ConfigureAwait(false)) yield return each.Current;

        async Task<bool> Next(IAsyncEnumerator<T> from)
        {
            try
            {
                return await from.MoveNextAsync().ConfigureAwait(false);
            }
            catch (CtlException failure) when (failure.Code == ExitCode.Usage)
            {
                throw Point(expression, failure);
            }
        }
    }

    private static CtlException Point(string expression, CtlException failure) =>
        new(failure.Code, failure.What, failure.Why, failure.Remedy, failure) { Details = Caret.Under(expression, failure.Why) };
}
