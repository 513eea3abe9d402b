using System.Reflection;
using System.Text.RegularExpressions;
using NodeAgent.Contracts.Metrics;

namespace NodeAgent.Repo.Tests;

/// <summary>Every metric once, well named, and none that a reader of the catalogue would miss.</summary>
public sealed partial class MetricCatalogTests
{
    [Fact]
    public void Catalogue_Names_AreUniqueAndWellFormed()
    {
        Assert.All(MetricCatalog.All, metric => Assert.Matches(Name(), metric.Name));
        Assert.Empty(MetricCatalog.All.GroupBy(metric => metric.Name).Where(same => same.Count() > 1).Select(same => same.Key));
    }

    [Fact]
    public void Catalogue_Labels_LeaveTheAggregatorsAlone() =>
        Assert.All(MetricCatalog.All, metric => Assert.DoesNotContain(metric.Labels, label => label is "node" or "__name__"));

    [Fact]
    public void Catalogue_Families_HoldEveryDefinition()
    {
        HashSet<MetricDefinition> listed = [.. MetricCatalog.All];
        IEnumerable<FieldInfo> fields = typeof(MetricCatalog).Assembly.GetTypes()
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public))
            .Where(field => field.FieldType == typeof(MetricDefinition));

        Assert.All(fields, field => Assert.True(
            listed.Contains((MetricDefinition)field.GetValue(null)!), $"{field.DeclaringType!.Name}.{field.Name} is in no family of MetricCatalog"));
    }

    [Fact]
    public void Catalogue_Help_IsASentence() =>
        Assert.All(MetricCatalog.All, metric => Assert.True(metric.Help.Length > 10 && metric.Help.EndsWith('.'), $"{metric.Name}: '{metric.Help}'"));

    [GeneratedRegex("^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
    private static partial Regex Name();
}
