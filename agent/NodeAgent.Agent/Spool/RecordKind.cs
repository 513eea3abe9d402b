namespace NodeAgent.Agent.Spool;

/// <summary>What a spooled record is to the one who reads it. The numbers are on disks (docs/formats/spool.md).</summary>
internal enum RecordKind : byte
{
    /// <summary>A frame whose blocks build on earlier frames.</summary>
    Frame = 0,

    /// <summary>A frame at which a reader can start.</summary>
    KeyFrame = 1,

    /// <summary>An event or an inventory: stands alone, and is never thinned out.</summary>
    Single = 2,
}
