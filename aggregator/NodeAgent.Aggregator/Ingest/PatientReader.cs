using NodeAgent.Journal.Reading;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Reads a journal at start. What the disk will not give at once is asked for again; what it will not give at all is passed over, so that
/// one bad sector never keeps an aggregator from starting. The reader counts what was in it as lost.
/// </summary>
internal static class PatientReader
{
    // A disk that answers at all answers by then; each try is a read that the drive itself has repeated for seconds.
    private const int Attempts = 3;

    internal static bool TryReadPatiently(this JournalReader reader, out JournalRecord record)
    {
        for (int failures = 0; !reader.TryRead(out record);)
        {
            if (reader.Error is null)
            {
                return false;
            }

            if (++failures >= Attempts)
            {
                reader.SkipUnreadable();
                failures = 0;
            }
        }

        return true;
    }
}
