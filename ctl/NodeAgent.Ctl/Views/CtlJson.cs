using System.Text.Json.Serialization;
using NodeAgent.Ctl.Bundle;
using NodeAgent.Ctl.Doctor;
using NodeAgent.Ctl.Fleet;
using NodeAgent.Ctl.Top;

namespace NodeAgent.Ctl.Views;

/// <summary>Source-generated JSON of every item: no reflection at start-up. Absent values are written as null, so that a field is always there.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, GenerationMode = JsonSourceGenerationMode.Serialization)]
[JsonSerializable(typeof(NodeItem))]
[JsonSerializable(typeof(NodeDetail))]
[JsonSerializable(typeof(SeriesItem))]
[JsonSerializable(typeof(ResultItem))]
[JsonSerializable(typeof(RangeItem))]
[JsonSerializable(typeof(PointItem))]
[JsonSerializable(typeof(SampleItem))]
[JsonSerializable(typeof(EventItem))]
[JsonSerializable(typeof(StatusItem))]
[JsonSerializable(typeof(TopItem))]
[JsonSerializable(typeof(CheckItem))]
[JsonSerializable(typeof(VersionItem))]
[JsonSerializable(typeof(XidItem))]
[JsonSerializable(typeof(FleetFileItem))]
[JsonSerializable(typeof(DecisionItem))]
[JsonSerializable(typeof(JobItem))]
[JsonSerializable(typeof(MoveItem))]
[JsonSerializable(typeof(PolicyItem))]
[JsonSerializable(typeof(AdviceItem))]
[JsonSerializable(typeof(HostPriority[]))]
[JsonSerializable(typeof(AuditItem))]
[JsonSerializable(typeof(HeadItem))]
[JsonSerializable(typeof(KindItem))]
[JsonSerializable(typeof(RolloutItem))]
[JsonSerializable(typeof(IncidentItem))]
[JsonSerializable(typeof(ExplanationItem))]
[JsonSerializable(typeof(SilenceItem))]
[JsonSerializable(typeof(ForecastItem))]
[JsonSerializable(typeof(FindingCountItem))]
[JsonSerializable(typeof(UsageItem))]
[JsonSerializable(typeof(BackupItem))]
[JsonSerializable(typeof(BundleItem))]
[JsonSerializable(typeof(CaItem))]
[JsonSerializable(typeof(IdentityItem))]
[JsonSerializable(typeof(TokenItem))]
internal sealed partial class CtlJson : JsonSerializerContext;
