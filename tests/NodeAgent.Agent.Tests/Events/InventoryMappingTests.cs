using Google.Protobuf;
using Google.Protobuf.Reflection;
using NodeAgent.Agent.Events;
using Wire = NodeAgent.V1;

namespace NodeAgent.Agent.Tests.Events;

public sealed class InventoryMappingTests
{
    [Fact]
    public void ToWire_EveryField_IsCarriedOver()
    {
        Wire.Inventory wire = InventoryMapping.ToWire(SampleInventory.Full, 9, 10);
        Assert.Equal(
            """{ "sequence": "9", "wallUnixMs": "10", "hostName": "h1", "bootId": "b1", "bootUnixMs": "101", "os": "os", "kernel": "6.1", "architecture": "x86_64", "cpu": { "model": "model", "sockets": 2, "cores": 64, "threads": 128, "maxHertz": "103", "vendor": "vendor" }, "memoryBytes": "102", "board": { "vendor": "bv", "product": "bp", "biosVersion": "bb", "serial": "bs" }, "networkInterfaces": [ { "name": "eth0", "mac": "aa:bb", "driver": "mlx5_core", "speedBitsPerSecond": "104", "pciAddress": "0000:01:00.0", "numaNode": 1, "mtu": 9000, "rdmaDevice": "mlx5_0" } ], "disks": [ { "name": "sda", "model": "dm", "sizeBytes": "105", "rotational": true, "serial": "ds", "pciAddress": "0000:02:00.0" }, { "name": "nvme0n1", "model": "nm", "sizeBytes": "106", "serial": "ns", "pciAddress": "0000:03:00.0" } ], "numaNodes": [ { "id": 3, "cpus": "0-63", "memoryBytes": "107" } ], "virtualization": "kvm", "machineId": "m1", "agentVersion": "VERSION", "accelerators": [ { "address": "0000:04:00.0", "vendorId": 4318, "deviceId": 9008, "driver": "nvidia", "numaNode": -1 } ] }"""
                .Replace("VERSION", AgentVersion.Text, StringComparison.Ordinal),
            JsonFormatter.Default.Format(wire));
    }

    [Fact]
    public void ToWire_FieldsOfTheContract_AreAllSet()
    {
        // A field that the contract gains must be mapped here too.
        CheckAllSet(InventoryMapping.ToWire(SampleInventory.Full, 9, 10));
    }

    private static void CheckAllSet(IMessage message)
    {
        foreach (FieldDescriptor field in message.Descriptor.Fields.InDeclarationOrder())
        {
            object value = field.Accessor.GetValue(message);
            object[] items = field.IsRepeated ? [.. ((System.Collections.IEnumerable)value).Cast<object>()] : [value];
            Assert.True(items.Length > 0, $"{field.FullName} is empty");
            Assert.All(items, item => Assert.False(item is "" or 0 or 0u or 0L or 0UL, $"{field.FullName} is not set"));
            foreach (IMessage inner in items.OfType<IMessage>().Take(1))
            {
                CheckAllSet(inner);
            }
        }
    }
}
