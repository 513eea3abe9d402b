using System.Reflection;
using NodeAgent.Interop.Tests.Foreign;
using Xunit.Sdk;
using Xunit.v3;

namespace NodeAgent.Interop.Tests.OurClient;

/// <summary>
/// Compressed or not, requests and responses, as theory rows. A stack whose server does not compress has no rows with compressed responses:
/// that is a property of the stack, not something that a machine could be missing.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CompressionRowsAttribute : DataAttribute
{
    /// <inheritdoc/>
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        Type stack = testMethod.ReflectedType!.BaseType!.GenericTypeArguments.Single();
        bool serverCompresses = ((ForeignStack)Activator.CreateInstance(stack)!).ServerCompresses;
        bool[] both = [false, true];
        return new(
        [
            .. from requests in both
               from responses in serverCompresses ? both : [false]
               select new TheoryDataRow<bool, bool>(requests, responses),
        ]);
    }

    /// <inheritdoc/>
    public override bool SupportsDiscoveryEnumeration() => true;
}
