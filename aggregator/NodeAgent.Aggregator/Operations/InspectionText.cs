using System.Globalization;
using System.Text.Json;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Aggregator.Operations;

/// <summary>What an inspection found, for people or as JSON.</summary>
internal static class InspectionText
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true };

    internal static void Write(TextWriter output, StateInspection found, BackupIndex? backup, bool isJson)
    {
        if (isJson)
        {
            output.WriteLine(Json(found, backup));
            return;
        }

        if (backup is not null)
        {
            output.WriteLine($"backup of {Moment(backup.CreatedUnixMs)} by {backup.Program}: {backup.Entries.Count} files, {backup.TotalBytes} bytes, log record {backup.LogId}");
        }

        output.WriteLine($"series {found.Series} of {found.Metrics} metrics, {found.Schemas} schemas, {found.Nodes} nodes; stored through log record {found.StoredThroughLogId}");
        output.WriteLine();
        output.WriteLine($"{"KIND",-8}{"LEVEL",-10}{"SEGMENTS",10}{"BYTES",16}{"SAMPLES",16}{"B/SAMPLE",10}  FROM                  TO");
        foreach (SegmentSummary segment in found.Segments)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{segment.Kind,-8}{segment.Level,-10}{segment.Segments,10}{segment.Bytes,16}{segment.Samples,16}{segment.BytesPerSample,10:0.000}  {Moment(segment.FirstUnixMs)}  {Moment(segment.LastUnixMs)}"));
        }

        output.WriteLine();
        output.WriteLine($"{"JOURNAL",-14}{"SEGMENTS",10}{"RECORDS",14}{"FIRST",14}{"NEXT",14}{"LOST",10}{"TORN BYTES",12}");
        foreach (JournalSummary journal in found.Journals)
        {
            output.WriteLine($"{journal.Name,-14}{journal.Segments,10}{journal.Records,14}{journal.FirstId,14}{journal.NextId,14}{journal.LostRecords,10}{journal.TornBytes,12}");
        }
    }

    private static string Moment(long unixMs) => unixMs == 0 ? "-" : DateTimeOffset.FromUnixTimeMilliseconds(unixMs).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Json(StateInspection found, BackupIndex? backup)
    {
        using MemoryStream bytes = new();
        using (Utf8JsonWriter json = new(bytes, Indented))
        {
            json.WriteStartObject();
            if (backup is not null)
            {
                json.WriteStartObject("backup");
                json.WriteNumber("createdUnixMs", backup.CreatedUnixMs);
                json.WriteString("program", backup.Program);
                json.WriteNumber("files", backup.Entries.Count);
                json.WriteNumber("bytes", backup.TotalBytes);
                json.WriteNumber("logId", backup.LogId);
                json.WriteEndObject();
            }

            json.WriteNumber("nodes", found.Nodes);
            json.WriteNumber("schemas", found.Schemas);
            json.WriteNumber("series", found.Series);
            json.WriteNumber("metrics", found.Metrics);
            json.WriteNumber("storedThroughLogId", found.StoredThroughLogId);
            json.WriteStartArray("segments");
            foreach (SegmentSummary segment in found.Segments)
            {
                Write(json, segment);
            }

            json.WriteEndArray();
            json.WriteStartArray("journals");
            foreach (JournalSummary journal in found.Journals)
            {
                Write(json, journal);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static void Write(Utf8JsonWriter json, SegmentSummary segment)
    {
        json.WriteStartObject();
        json.WriteString("kind", segment.Kind);
        json.WriteString("level", segment.Level);
        json.WriteNumber("segments", segment.Segments);
        json.WriteNumber("bytes", segment.Bytes);
        json.WriteNumber("samples", segment.Samples);
        json.WriteNumber("bytesPerSample", segment.BytesPerSample);
        json.WriteNumber("firstUnixMs", segment.FirstUnixMs);
        json.WriteNumber("lastUnixMs", segment.LastUnixMs);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, JournalSummary journal)
    {
        json.WriteStartObject();
        json.WriteString("name", journal.Name);
        json.WriteNumber("segments", journal.Segments);
        json.WriteNumber("records", journal.Records);
        json.WriteNumber("firstId", journal.FirstId);
        json.WriteNumber("nextId", journal.NextId);
        json.WriteNumber("lostRecords", journal.LostRecords);
        json.WriteNumber("tornBytes", journal.TornBytes);
        json.WriteEndObject();
    }
}
