using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;
using NodeAgent.Testing.Events;

namespace NodeAgent.Hosting.Tests.Events;

public sealed class EventCatalogTests
{
    [Fact]
    public void Collect_ThisLibrary_FindsItsEventsAndNothingIsWrongWithThem()
    {
        IReadOnlyList<EventDescription> events = EventCatalog.Collect([typeof(EventLog).Assembly]);

        EventDescription dropped = Assert.Single(events, one => one.Name == "LogLinesDropped");
        Assert.Equal((1001, LogLevel.Warning), (dropped.Id, dropped.Level));
        Assert.Contains("not in this log", dropped.Meaning, StringComparison.Ordinal);
        Assert.Contains(events, one => one.Name == "StopRequested" && one.Meaning is null);
        Assert.All(events, one => Assert.InRange(one.Id, 1000, 1099)); // the programs' own host events start at 1100
        Assert.Empty(EventCatalog.Problems(events));
    }

    [Fact]
    public void Problems_EveryKind_IsTold()
    {
        EventDescription[] events =
        [
            new(999, "OutOfRange", LogLevel.Information, "m", "A.OutOfRange"),
            new(1500, "", LogLevel.Information, "m", "A.Nameless"),
            new(1501, "NoHelp", LogLevel.Warning, "m", "A.NoHelp"),
            new(1502, "HalfHelp", LogLevel.Error, "m", "A.HalfHelp", "meaning", " ", "action"),
            new(1503, "Twice", LogLevel.Information, "m", "A.First"),
            new(1503, "Other", LogLevel.Information, "m", "A.Second"),
            new(1504, "Twice", LogLevel.Information, "m", "A.Third"),
        ];

        Assert.Equal(
        [
            "A.OutOfRange: id 999 is in no range of EventIdRange",
            "A.Nameless: has no EventName",
            "A.NoHelp: a Warning needs [EventHelp] with Meaning, Cause and Action",
            "A.HalfHelp: a Error needs [EventHelp] with Meaning, Cause and Action",
            "A.First, A.Second: share the id 1503",
            "A.First, A.Third: share the name Twice",
        ], EventCatalog.Problems(events));
    }

    [Fact]
    public void Render_TwoRanges_GivesATableAndWhatToDo()
    {
        string page = EventCatalogPage.Render(
        [
            new(4002, "UplinkConnectFailed", LogLevel.Warning, "Cannot connect to {Peer} | why", "A.B", "It is away.", "A firewall.", "Run `nodectl doctor`."),
            new(1010, "StopRequested", LogLevel.Information, "Stopping", "A.C"),
        ]);

        Assert.Equal(
            """
            ## Host and process (1000 to 1999)

            | id | event | level | message |
            |---|---|---|---|
            | 1010 | StopRequested | info | Stopping |

            ## Uplink (4000 to 4999)

            | id | event | level | message |
            |---|---|---|---|
            | 4002 | [UplinkConnectFailed](#uplinkconnectfailed) | warn | Cannot connect to {Peer} \| why |

            ### UplinkConnectFailed

            `id=4002` `level=warn`

            - **Meaning:** It is away.
            - **Likely cause:** A firewall.
            - **What to do:** Run `nodectl doctor`.

            """, page);
    }

    [Fact]
    public void Ranges_AllOfThem_AscendWithoutOverlap()
    {
        Assert.All(EventIdRange.All.Zip(EventIdRange.All.Skip(1)), pair => Assert.True(pair.First.Last < pair.Second.First));
        Assert.Equal("query", EventIdRange.Of(6500)!.Owner);
        Assert.Equal("ingest", EventIdRange.Of(6499)!.Owner);
        Assert.Null(EventIdRange.Of(999));
    }
}
