// Each test starts real processes and watches them in real time; two at once on two cores would measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
