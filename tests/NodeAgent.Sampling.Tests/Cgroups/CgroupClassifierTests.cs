using NodeAgent.Sampling.Cgroups;

namespace NodeAgent.Sampling.Tests.Cgroups;

public sealed class CgroupClassifierTests
{
    private const string Id = "3f4a9c1e5b7d8f0a2c4e6b8d0f1a3c5e7b9d1f3a5c7e9b1d3f5a7c9e1b3d5f7a";

    [Theory]
    [InlineData("system.slice", "Slice", "system.slice", "")]
    [InlineData("system.slice/sshd.service", "Service", "sshd.service", "")]
    [InlineData("init.scope", "Scope", "init.scope", "")]
    [InlineData("user.slice/user-1000.slice/session-3.scope", "Scope", "session-3.scope", "")]
    [InlineData("user.slice/user-1000.slice/user@1000.service", "Service", "user@1000.service", "")]
    [InlineData("docker/" + Id, "Container", "3f4a9c1e5b7d", "")]
    [InlineData("system.slice/docker-" + Id + ".scope", "Container", "3f4a9c1e5b7d", "")]
    [InlineData("machine.slice/libpod-" + Id + ".scope", "Container", "3f4a9c1e5b7d", "")]
    [InlineData("user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + Id + ".scope", "Container", "3f4a9c1e5b7d", "")]
    [InlineData("lxc.payload.web", "Container", "web", "")]
    [InlineData("kubepods/burstable/pod0a1b2c3d-0000-1111-2222-333344445555", "Pod", "0a1b2c3d-0000-1111-2222-333344445555", "")]
    [InlineData("kubepods/burstable/pod0a1b/" + Id, "Container", "3f4a9c1e5b7d", "0a1b")]
    [InlineData("kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod0a1b_2c.slice", "Pod", "0a1b-2c", "")]
    [InlineData("kubepods.slice/kubepods-pod0a1b_2c.slice/cri-containerd-" + Id + ".scope", "Container", "3f4a9c1e5b7d", "0a1b-2c")]
    [InlineData("kubepods.slice/kubepods-pod0a1b_2c.slice/crio-" + Id + ".scope", "Container", "3f4a9c1e5b7d", "0a1b-2c")]
    [InlineData("kubepods-pod0a1b_2c.slice:cri-containerd:" + Id, "Container", "3f4a9c1e5b7d", "")]
    [InlineData("slurm/uid_1000/job_42", "Job", "42", "")]
    [InlineData("slurm_node7/uid_1000/job_42", "Job", "42", "")]
    [InlineData("system.slice/slurmstepd.scope/job_42", "Job", "42", "")]
    [InlineData("system.slice/node7_slurmstepd.scope/job_42", "Job", "42", "")]
    public void Classify_OfAKnownPath_SaysWhatItIs(string path, string kind, string name, string pod) =>
        Assert.Equal(new CgroupIdentity(Enum.Parse<CgroupKind>(kind), name, pod), CgroupClassifier.Classify(path));

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("docker")]
    [InlineData("job_42")]
    [InlineData("slurm/uid_1000/job_")]
    [InlineData("slurm/uid_1000/job_4x")]
    [InlineData("slurm/uid_1000")]
    [InlineData("kubepods/burstable/pod")]
    [InlineData("podium")]
    [InlineData("lxc.payload.")]
    [InlineData("docker/3f4a9c1e5b7d")]
    [InlineData("kubepods/burstable/pod0a1b/crio-conmon-" + Id + ".scope")]
    [InlineData("user.slice/user-1000.slice/user@1000.service/app.slice/editor.service")]
    [InlineData("system.slice/docker.service/init")]
    public void Classify_OfAnythingElse_IsNull(string path) => Assert.Null(CgroupClassifier.Classify(path));

    [Fact]
    public void Classify_OfAnyText_NeverThrows()
    {
        Random random = new(9);
        string[] words =
        [
            "kubepods", "-pod", ".slice", "pod", "job_", "slurm", "/", ":", Id, ".scope", "docker-", "lxc.payload.",
            ".", "_", "1", "\0", "ü",
        ];
        for (int i = 0; i < 50_000; i++)
        {
            string path = string.Concat(Enumerable.Range(0, random.Next(0, 8)).Select(_ => words[random.Next(words.Length)]));
            CgroupIdentity? identity = CgroupClassifier.Classify(path);

            Assert.True(identity is null || identity.Value.Name.Length > 0);
        }
    }
}
