namespace NodeAgent.Nvml;

// What changes a GPU. All need root; the actuator calls them, never the reader.
public sealed unsafe partial class NvmlLibrary
{
    /// <summary>
    /// Sets the power limit and reads it back, because a driver can say Success and keep the old one: then the answer is
    /// <see cref="NvmlReturn.InvalidState"/>.
    /// </summary>
    /// <param name="device">The GPU.</param>
    /// <param name="milliwatts">Within nvmlDeviceGetPowerManagementLimitConstraints, else InvalidArgument.</param>
    /// <param name="actual">The limit there is now, milliwatts; 0 where it cannot be read.</param>
    public NvmlReturn SetPowerLimit(nint device, uint milliwatts, out uint actual)
    {
        actual = 0;
        nint f = Begin(NvmlCall.SetPowerManagementLimit);
        if (f == 0)
        {
            return NvmlReturn.FunctionNotFound;
        }

        NvmlPowerValue value = new() { Version = NvmlPowerValue.CurrentVersion, Milliwatts = milliwatts };
        NvmlReturn result = End(_shape[(int)NvmlCall.SetPowerManagementLimit] == 0
            ? ((delegate* unmanaged[Cdecl]<nint, NvmlPowerValue*, NvmlReturn>)f)(device, &value)
            : ((delegate* unmanaged[Cdecl]<nint, uint, NvmlReturn>)f)(device, milliwatts));
        NvmlReturn read = Get(NvmlCall.DeviceGetEnforcedPowerLimit, device, out actual);
        return result != NvmlReturn.Success ? result
            : read != NvmlReturn.Success ? read
            : actual == milliwatts ? NvmlReturn.Success : NvmlReturn.InvalidState;
    }

    /// <summary>Sets one number: persistence, compute or ECC mode. Success is what the driver says; who must know reads it back.</summary>
    public NvmlReturn Set(NvmlCall call, nint device, uint value)
    {
        nint f = Begin(call);
        return f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<nint, uint, NvmlReturn>)f)(device, value));
    }

    /// <summary>Locks a clock domain between two frequencies, MHz.</summary>
    public NvmlReturn SetRange(NvmlCall call, nint device, uint min, uint max)
    {
        nint f = Begin(call);
        return f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<nint, uint, uint, NvmlReturn>)f)(device, min, max));
    }

    /// <summary>Takes a lock of a clock domain away.</summary>
    public NvmlReturn Reset(NvmlCall call, nint device)
    {
        nint f = Begin(call);
        return f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<nint, NvmlReturn>)f)(device));
    }

    /// <summary>Switches MIG mode.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="enabled">Which mode.</param>
    /// <param name="activation">Whether it took effect at once; else it is pending until the GPU is reset.</param>
    public NvmlReturn SetMigMode(nint device, bool enabled, out NvmlReturn activation)
    {
        NvmlReturn activated = NvmlReturn.Unknown;
        nint f = Begin(NvmlCall.SetMigMode);
        NvmlReturn result = f == 0 ? NvmlReturn.FunctionNotFound
            : End(((delegate* unmanaged[Cdecl]<nint, uint, NvmlReturn*, NvmlReturn>)f)(device, enabled ? 1u : 0u, &activated));
        activation = activated;
        return result;
    }
}
