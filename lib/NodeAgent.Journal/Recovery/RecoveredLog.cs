using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Segments;
using NodeAgent.Journal.Writing;

namespace NodeAgent.Journal.Recovery;

/// <summary>A journal's files as they are once they were looked through.</summary>
internal sealed record RecoveredLog(SegmentCatalog Catalog, LogStart Start, RecoveryReport Report);
