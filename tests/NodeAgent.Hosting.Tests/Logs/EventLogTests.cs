using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Hosting.Tests.Logs;

public sealed class EventLogTests
{
    private const string Hostile = "a\nlevel=error \"b\" \\ \t\u0000\u001b[31m\u0085\u2028\u202e=x \ud83d\ude00\u00e9";

    [Fact]
    public void Text_AnEvent_IsOneLineOfTimeAndPairs()
    {
        using LogOutput output = new();
        output.Log.CreateLogger("NodeAgent.Agent.Uplink").UplinkConnected("aggregator:7443", 3);

        Assert.Equal(
            "2026-11-21T09:08:07.123Z level=info event=UplinkConnected id=4001 peer=aggregator:7443 attempts=3 "
            + "msg=\"Connected to aggregator:7443 after 3 attempts\"",
            output.SingleLine());
    }

    [Fact]
    public void Json_AnEvent_HasTheSameKeysInOneObject()
    {
        using LogOutput output = new(new EventLogOptions { Format = LogFormat.Json });
        output.Log.CreateLogger("NodeAgent.Agent.Uplink").UplinkConnected("aggregator:7443", 3);

        Assert.Equal(
            """{"time":"2026-11-21T09:08:07.123Z","level":"info","event":"UplinkConnected","id":4001,"peer":"aggregator:7443","attempts":3,"""
            + "\"msg\":\"Connected to aggregator:7443 after 3 attempts\"}",
            output.SingleLine());
    }

    [Fact]
    public void Text_EveryTypeOfParameter_HasItsSpelling()
    {
        using LogOutput output = new(new EventLogOptions { MinimumLevel = LogLevel.Debug });
        output.Log.CreateLogger("NodeAgent.X").SamplerTimed("", TimeSpan.FromMilliseconds(1234), 0.25, true,
            new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)), -7, ["a", "b c"]);

        Assert.StartsWith(
            "2026-11-21T09:08:07.123Z level=debug event=SamplerTimed id=2001 sampler=\"\" took=1.23s ratio=0.25 ok=true "
            + "at=2026-01-02T01:04:05.0000000Z id_=-7 names=\"a,b c\" msg=",
            output.SingleLine(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.NegativeInfinity, "-Infinity")]
    [InlineData(1e300, "1E+300")]
    [InlineData(null, "null")]
    [InlineData("null", "\"null\"")]
    [InlineData('x', "x")]
    [InlineData(LogLevel.Error, "Error")]
    public void Text_AnOddValue_IsUnambiguous(object? value, string spelled)
    {
        using LogOutput output = new();
        output.Log.CreateLogger("NodeAgent.X").AnyValue(value);
        Assert.Contains($" value={spelled} msg=", output.SingleLine(), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_NumbersThatJsonCannotHold_BecomeStrings()
    {
        using LogOutput output = new(new EventLogOptions { Format = LogFormat.Json });
        output.Log.CreateLogger("NodeAgent.X").AnyValue(double.NaN);
        output.Log.CreateLogger("NodeAgent.X").AnyValue(float.PositiveInfinity);

        Assert.Equal(["NaN", "Infinity"], output.Lines().Select(line => JsonDocument.Parse(line).RootElement.GetProperty("value").GetString()));
    }

    [Fact]
    public void Text_HostileText_StaysOneLineAndAddsNoKey()
    {
        using LogOutput output = new();
        output.Log.CreateLogger("NodeAgent.X").UplinkConnected(Hostile, 1);

        string line = output.SingleLine();
        Assert.DoesNotContain(line, c => char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator);
        Dictionary<string, string> pairs = KeyValueLine.Parse(line);
        Assert.Equal(["level", "event", "id", "peer", "attempts", "msg"], pairs.Keys);
        Assert.Equal(Hostile, pairs["peer"]);
        Assert.Equal($"Connected to {Hostile} after 1 attempts", pairs["msg"]);
    }

    [Fact]
    public void BothFormats_RandomText_ReadsBackExactly()
    {
#pragma warning disable RS0030 // seeded
        Random random = new(20261121);
#pragma warning restore RS0030
        using LogOutput text = new();
        using LogOutput json = new(new EventLogOptions { Format = LogFormat.Json });
        List<string> values = [.. Enumerable.Range(0, 500).Select(_ => RandomText(random))];
        foreach (string value in values)
        {
            text.Log.CreateLogger("NodeAgent.X").UplinkConnected(value, 1);
            json.Log.CreateLogger("NodeAgent.X").UplinkConnected(value, 1);
        }

        Assert.Equal(values, text.Lines().Select(line => KeyValueLine.Parse(line)["peer"]));
        Assert.Equal(values, json.Lines().Select(line => JsonDocument.Parse(line).RootElement.GetProperty("peer").GetString()));
    }

    [Fact]
    public void BothFormats_ALoneSurrogate_BecomesTheReplacementCharacter()
    {
        using LogOutput json = new(new EventLogOptions { Format = LogFormat.Json });
        json.Log.CreateLogger("NodeAgent.X").UplinkConnected("a\ud800b", 1);
        Assert.Equal("a\ufffdb", JsonDocument.Parse(json.SingleLine()).RootElement.GetProperty("peer").GetString());
    }

    [Fact]
    public void Text_AnException_IsItsMessageAndTypeWithoutStack()
    {
        using LogOutput output = new();
        output.Log.CreateLogger("NodeAgent.X").UplinkConnectFailed("a:1", Thrown("no\nroute"));
        Assert.EndsWith(
            " level=warn event=UplinkConnectFailed id=4002 peer_address=a:1 error=\"no\\nroute\" error_type=InvalidOperationException "
            + "msg=\"Cannot connect to a:1\"",
            output.SingleLine(), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_AnExceptionAtDebugLevel_HasItsStackOnTheSameLine()
    {
        using LogOutput output = new(new EventLogOptions { MinimumLevel = LogLevel.Debug });
        output.Log.CreateLogger("NodeAgent.X").UplinkConnectFailed("a:1", Thrown("no route"));
        Assert.Contains($" stack=\"System.InvalidOperationException: no route\\n   at {typeof(EventLogTests).FullName}.{nameof(Thrown)}",
            output.SingleLine(), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_AForeignCategory_IsNamedAsSource()
    {
        using LogOutput output = new();
        output.Log.CreateLogger("Microsoft.AspNetCore.Server.Kestrel").UplinkConnectFailed("a:1", Thrown("x"));
        Assert.Contains(" source=Microsoft.AspNetCore.Server.Kestrel ", output.SingleLine(), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_AValueOverTheLimit_EndsWithWhatIsMissing()
    {
        using LogOutput output = new();
        output.Log.CreateLogger("NodeAgent.X").UplinkConnected(new string('x', 5000), 1);
        Dictionary<string, string> pairs = KeyValueLine.Parse(output.SingleLine());
        Assert.Equal(new string('x', 1024) + "...(+3976 characters)", pairs["peer"]);
        Assert.Equal($"Connected to {pairs["peer"]} after 1 attempts", pairs["msg"]);
    }

    [Fact]
    public void Message_DurationsTimesAndNulls_ReadAsInTheirPairs()
    {
        using LogOutput output = new(new EventLogOptions { MinimumLevel = LogLevel.Debug });
        output.Log.CreateLogger("NodeAgent.X").SamplerTimed("cpu", TimeSpan.FromSeconds(20), 0.5, false, DateTimeOffset.UnixEpoch, 1, ["a", "b"]);
        output.Log.CreateLogger("NodeAgent.X").UplinkConnected(null, 1);
        Assert.EndsWith("msg=\"cpu took 20s, ratio 0.5, ok false, at 1970-01-01T00:00:00.0000000Z, id 1, names a,b\"", output.Lines()[0], StringComparison.Ordinal);
        Assert.EndsWith("peer=null attempts=1 msg=\"Connected to null after 1 attempts\"", output.Lines()[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{A:x4} {B}", "00ff b")]
    [InlineData("{{A}} {A} {B}", "{A} 255 b")]
    [InlineData("[{A,5}] {B}", "[  255] b")]
    [InlineData("{B}{A}", "b255")]
    [InlineData("plain", "plain")]
    [InlineData("", "")]
    public void Message_AnyTemplate_ReadsAsItsAuthorMeant(string template, string message)
    {
        using LogOutput output = new();
        ILogger log = output.Log.CreateLogger("NodeAgent.X");
#pragma warning disable CA2254 // the template is the case under test
        if (template.StartsWith("{B}", StringComparison.Ordinal))
        {
            log.LogInformation(template, "b", 255);
        }
        else
        {
            log.LogInformation(template, 255, "b");
        }
#pragma warning restore CA2254
        Assert.Equal(message, KeyValueLine.Parse(output.SingleLine())["msg"]);
    }

    [Fact]
    public void Message_SeveralLongParameters_IsCut()
    {
        using LogOutput output = new();
        output.Log.CreateLogger("NodeAgent.X").LogInformation("{A} {B} {C}", Long(), Long(), Long());
        Assert.EndsWith("...(cut)\"", output.SingleLine(), StringComparison.Ordinal);

        static string Long() => new('\u0001', 1024);
    }

    [Theory]
    [InlineData(LogFormat.Text)]
    [InlineData(LogFormat.Json)]
    public void BothFormats_ManyHugeParameters_FitTheJournalsLine(LogFormat format)
    {
        using LogOutput output = new(new EventLogOptions { Format = format });
        List<KeyValuePair<string, object?>> many = [.. Enumerable.Range(0, 200).Select(i => KeyValuePair.Create($"Key{i}", (object?)new string('\u0001', 900)))];
        output.Log.CreateLogger("NodeAgent.X").Log(LogLevel.Information, new EventId(1, "Huge"), many, null, (_, _) => "huge");

        string line = output.SingleLine();
        Assert.InRange(line.Length, 20_000, 48 * 1024);
        Assert.Contains(format == LogFormat.Text ? " truncated=true msg=\"huge\"" : ",\"truncated\":true,\"msg\":\"huge\"}", line, StringComparison.Ordinal);
    }

    [Fact]
    public void MinimumLevel_ChangedWhileRunning_Applies()
    {
        using LogOutput output = new();
        ILogger log = output.Log.CreateLogger("NodeAgent.X");
        output.Log.MinimumLevel = LogLevel.Warning;
        log.UplinkConnected("dropped", 1);
        output.Log.MinimumLevel = LogLevel.Information;
        log.UplinkConnected("written", 1);
        Assert.Contains("peer=written", output.SingleLine(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NodeAgent.Agent.Uplink", LogLevel.Debug, true)]
    [InlineData("NodeAgent.Agent.Uplink", LogLevel.Trace, false)]
    [InlineData("NodeAgent.Agent", LogLevel.Information, false)]
    [InlineData("NodeAgent.Agent", LogLevel.Error, true)]
    [InlineData("Microsoft.AspNetCore", LogLevel.Information, false)]
    [InlineData("Other", LogLevel.Information, true)]
    [InlineData("Other", LogLevel.None, false)]
    public void CategoryLevels_TheLongestPrefix_Decides(string category, LogLevel level, bool written)
    {
        EventLogOptions options = new();
        options.CategoryLevels["NodeAgent.Agent"] = LogLevel.Error;
        options.CategoryLevels["NodeAgent.Agent.Up"] = LogLevel.Debug;
        using LogOutput output = new(options);
        Assert.Equal(written, output.Log.CreateLogger(category).IsEnabled(level));
    }

    [Theory]
    [InlineData(LogLevel.Critical, "<2>")]
    [InlineData(LogLevel.Error, "<3>")]
    [InlineData(LogLevel.Warning, "<4>")]
    [InlineData(LogLevel.Information, "<6>")]
    [InlineData(LogLevel.Debug, "<7>")]
    public void JournalPrefix_IsThePriorityOfSyslog(LogLevel level, string prefix)
    {
        using LogOutput output = new(new EventLogOptions { JournalPrefix = true, MinimumLevel = LogLevel.Trace });
        output.Log.CreateLogger("NodeAgent.X").Log(level, new EventId(1, "E"), "text");
        Assert.StartsWith(prefix + "2026-", output.SingleLine(), StringComparison.Ordinal);
    }

    [Fact]
    public void Log_AParameterThatThrows_LeavesAStandInAndIsCounted()
    {
        using LogOutput output = new();
        output.Log.CreateLogger("NodeAgent.X").AnyValue(new Throwing());
        Assert.Contains("event=AnyValue id=2002 msg=\"this event could not be turned into text (NotSupportedException)\"", output.SingleLine(), StringComparison.Ordinal);
        Assert.Equal(1, output.Log.UnprintableEvents);
    }

    [Fact]
    public void Log_AParameterThatLogsItself_DoesNotMixTheLines()
    {
        using LogOutput output = new();
        ILogger log = output.Log.CreateLogger("NodeAgent.X");
        log.AnyValue(new LoggingWhilePrinted(log));
        string[] lines = output.Lines();
        Assert.Equal(3, lines.Length); // it is printed twice: as parameter and inside the message
        Assert.All(lines[..2], line => Assert.EndsWith(" peer=inner attempts=1 msg=\"Connected to inner after 1 attempts\"", line, StringComparison.Ordinal));
        Assert.EndsWith(" value=outer msg=\"Got outer\"", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Log_ADisabledLevel_AllocatesNothing()
    {
        using LogOutput output = new();
        ILogger log = output.Log.CreateLogger("NodeAgent.X");
        log.SamplerTimed("warm", default, 0, true, default, 0, []);
        string[] names = ["a"];
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            log.SamplerTimed("cpu", default, 0, true, default, 0, names);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Empty(output.Lines());
    }

    [Fact]
    public void Log_AWarmLine_AllocatesOnlyWhatTheInterfaceBoxes()
    {
        using LogOutput output = new();
        ILogger log = output.Log.CreateLogger("NodeAgent.X");
        long least = long.MaxValue;
        for (int round = 0; round < 20; round++)
        {
            // The pending buffers grow to what a burst of this size needs, and then stay: the round without growth is the steady state.
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++)
            {
                log.UplinkConnected("aggregator:7443", 3);
            }

            least = Math.Min(least, (GC.GetAllocatedBytesForCurrentThread() - before) / 100);
            _ = output.Lines();
        }

        // What the interface boxes: the state (40 B) and the number in it (24 B) each of the five times it is looked at; nothing is ours.
        Assert.InRange(least, 1, 160);
    }

    private static InvalidOperationException Thrown(string message)
    {
        try
        {
            throw new InvalidOperationException(message);
        }
        catch (InvalidOperationException thrown)
        {
            return thrown;
        }
    }

    private static string RandomText(Random random)
    {
        string[] pieces = ["a", " ", "=", "\"", "\\", "\n", "\r", "\t", "\u0000", "\u007f", "\u009b", "\u2029", "\u2066", "\ufeff", "\ud83d\ude00", "\u00fc", "\ue000", "\\n", "null", "\U000e0001"];
        return string.Concat(Enumerable.Range(0, random.Next(0, 12)).Select(_ => pieces[random.Next(pieces.Length)]));
    }

    [Fact]
    public void Log_AFormatterThatThrows_LeavesAStandInAndIsCounted()
    {
        using LogOutput output = new();
        output.Log.CreateLogger("NodeAgent.X").Log(LogLevel.Information, new EventId(7, "Odd"), 1, null, (_, _) => throw new NotSupportedException());
        Assert.Contains("event=Odd id=7 msg=\"this event could not be turned into text (NotSupportedException)\"", output.SingleLine(), StringComparison.Ordinal);
        Assert.Equal(1, output.Log.UnprintableEvents);
    }

    private sealed class Throwing
    {
        public override string ToString() => throw new NotSupportedException("not today");
    }

    private sealed class LoggingWhilePrinted(ILogger log)
    {
        public override string ToString()
        {
            log.UplinkConnected("inner", 1);
            return "outer";
        }
    }
}
