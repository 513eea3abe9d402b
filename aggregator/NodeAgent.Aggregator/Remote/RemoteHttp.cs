using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Remote;

/// <summary>
/// Asks an engine and gives its answer as JSON documents, one a line: both engines stream that way, so no answer is held as a whole. On the
/// query's own thread, synchronously, as the query engine works.
/// </summary>
internal sealed class RemoteHttp(HttpClient http, Uri root, AuthenticationHeaderValue? authorisation)
{
    private const int MaxReason = 300;
    private const int MaxLineChars = 512 << 20;

    /// <exception cref="QueryException">The engine refuses, or does not answer.</exception>
    internal IEnumerable<JsonDocument> Ask(string path, IEnumerable<KeyValuePair<string, string>> form)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(root.AbsoluteUri.TrimEnd('/') + path)) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Authorization = authorisation;
        using HttpResponseMessage response = Guard(() => http.Send(request, HttpCompletionOption.ResponseHeadersRead));
        using StreamReader lines = new(Guard(() => response.Content.ReadAsStream()));
        if (!response.IsSuccessStatusCode)
        {
            throw Refused(response.StatusCode, Guard(lines.ReadToEnd));
        }

        while (Guard(lines.ReadLine) is { } line)
        {
            if (line.Length > MaxLineChars)
            {
                throw new QueryException(QueryErrorKind.TooManySamples, "one series of the engine's answer is too long");
            }

            if (line.Length > 0)
            {
                using JsonDocument document = Parse(line);
                yield return document;
            }
        }
    }

    /// <summary>Takes a document apart; one of another form than the engine's documentation says is an error of the engine.</summary>
    internal static List<T> Take<T>(JsonDocument document, Func<JsonElement, IEnumerable<T>> take)
    {
        try
        {
            return [.. take(document.RootElement)];
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException or OverflowException)
        {
            throw new QueryException(QueryErrorKind.RemoteEngine, $"the engine's answer has another form than expected: {e.Message}");
        }
    }

    private static JsonDocument Parse(string line)
    {
        try
        {
            return JsonDocument.Parse(line);
        }
        catch (JsonException e)
        {
            throw new QueryException(QueryErrorKind.RemoteEngine, $"the engine's answer is no JSON: {e.Message}");
        }
    }

    private QueryException Refused(HttpStatusCode status, string text)
    {
        string reason = text.ReplaceLineEndings(" ").Trim();
        reason = reason.Length <= MaxReason ? reason : reason[..MaxReason];
        QueryErrorKind kind = status is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity ? QueryErrorKind.InvalidArgument : QueryErrorKind.RemoteEngine;
        return new QueryException(kind, $"{root.Authority} answers {(int)status}: {reason}");
    }

    private T Guard<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            throw new QueryException(QueryErrorKind.RemoteEngine, $"{root.Authority} does not answer: {e.Message}");
        }
    }
}
