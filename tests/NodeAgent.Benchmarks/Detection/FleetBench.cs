namespace NodeAgent.Benchmarks.Detection;
internal static class FleetBench { internal static int Run(string[] arguments) => arguments.Length; }
internal static class StragglerBench { internal static int Run(string[] arguments) => arguments.Length; }
internal static class ForecastBench { internal static int Run(string[] arguments) => arguments.Length; }
