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
}
