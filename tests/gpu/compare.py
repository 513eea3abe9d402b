#!/usr/bin/env python3
"""What measure.sh asks: the agent's values against nvidia-smi's, the agent's cost, and values under a load."""
import json
import os
import subprocess
import sys
import threading
import time

# nvidia-smi's field, our expression, factor from ours to its unit, what may differ between two readings a second apart.
PAIRS = [
    ("utilization.gpu", "gpu_utilization_ratio", 100, 15),
    ("utilization.memory", "gpu_memory_utilization_ratio", 100, 15),
    ("memory.total", "gpu_memory_total_bytes", 1 / 2**20, 1),
    ("memory.used", "gpu_memory_used_bytes", 1 / 2**20, 64),
    ("memory.reserved", "gpu_memory_reserved_bytes", 1 / 2**20, 16),
    ("temperature.gpu", "gpu_temperature_celsius", 1, 3),
    ("temperature.memory", "gpu_memory_temperature_celsius", 1, 3),
    ("power.draw.instant", "gpu_power_watts", 1, 40),
    ("power.draw.average", "gpu_power_average_watts", 1, 40),
    ("enforced.power.limit", 'gpu_power_limit_watts{limit="current"}', 1, 0.01),
    ("power.max_limit", 'gpu_power_limit_watts{limit="max"}', 1, 0.01),
    ("clocks.sm", 'gpu_clock_hertz{clock="sm"}', 1e-6, 200),
    ("clocks.mem", 'gpu_clock_hertz{clock="memory"}', 1e-6, 1),
    ("clocks.max.sm", 'gpu_clock_max_hertz{clock="sm"}', 1e-6, 0),
    ("pcie.link.gen.gpucurrent", "gpu_pcie_link_generation", 1, 4),
    ("pcie.link.width.current", "gpu_pcie_link_width", 1, 0),
    ("ecc.errors.corrected.volatile.total", 'gpu_ecc_errors_total{kind="corrected",since="load",location="all"}', 1, 0),
    ("ecc.errors.uncorrected.aggregate.total", 'gpu_ecc_errors_total{kind="uncorrected",since="life",location="all"}', 1, 0),
    ("remapped_rows.uncorrectable", 'gpu_remapped_rows{cause="uncorrectable"}', 1, 0),
]


def ask(ctl, expression):
    answer = subprocess.run([*ctl[:1], "query", expression, "-o", "json", *ctl[1:]], capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)["items"]


def smi(field):
    lines = subprocess.run(["nvidia-smi", f"--query-gpu=uuid,{field}", "--format=csv,noheader,nounits"], capture_output=True, text=True)
    if lines.returncode != 0:
        return {}
    rows = (line.split(", ", 1) for line in lines.stdout.strip().splitlines())
    return {uuid: float(value) for uuid, value in rows if value.replace(".", "", 1).lstrip("-").isdigit()}


def compare(ctl):
    worst = 0
    for field, expression, factor, allowed in PAIRS:
        theirs, ours = smi(field), {item["labels"]["uuid"]: item["value"] * factor for item in ask(ctl, expression)}
        if not theirs and not ours:
            print(f"absent  {field}")
            continue
        for uuid in sorted(set(theirs) | set(ours)):
            if uuid not in theirs or uuid not in ours:
                verdict = "ONLY " + ("OURS" if uuid in ours else "THEIRS")
            else:
                verdict = "ok" if abs(theirs[uuid] - ours[uuid]) <= allowed else "DIFFERS"
            worst |= verdict != "ok"
            print(f"{verdict:7} {field:42} {uuid} smi {theirs.get(uuid)} ours {ours.get(uuid)}")
    return worst


def cpu_ms(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def pss_mib(pid):
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/smaps_rollup") if line.startswith("Pss:")) / 1024


def reader_of(agent):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if "gpu-reader" in open(f"/proc/{pid}/cmdline").read() and open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1] == agent:
                return pid
        except OSError:
            continue
    raise SystemExit("the agent has no GPU reader")


def cost(agent, seconds, ctl):
    reader = reader_of(agent)
    before = cpu_ms(agent), cpu_ms(reader)
    time.sleep(seconds)
    print(f"agent  {(cpu_ms(agent) - before[0]) / seconds:.2f} ms CPU a second, {pss_mib(agent):.1f} MiB PSS")
    print(f"reader {(cpu_ms(reader) - before[1]) / seconds:.2f} ms CPU a second, {pss_mib(reader):.1f} MiB PSS")
    for name, label in (("nodeagent_nvml_call_latency_seconds", "call"), ("gpu_nvml_field_latency_seconds", "field")):
        for item in sorted(ask(ctl, name), key=lambda item: -item["value"])[:60]:
            print(f"{name} {item['labels'][label]:36} {item['value'] * 1e6:10.0f} us at most")
    return 0


def load(seconds, ctl):
    import torch

    stop = threading.Event()

    def multiply():
        a = torch.randn(8192, 8192, device="cuda", dtype=torch.float16)
        while not stop.is_set():
            for _ in range(20):
                a = torch.nn.functional.normalize(a @ a)
            torch.cuda.synchronize()

    watched = ["gpu_utilization_ratio", "gpu_power_watts", "gpu_temperature_celsius", 'gpu_activity_ratio{part="sm"}', 'gpu_activity_ratio{part="tensor"}',
               'gpu_throttle_seconds_total{reason="power"}', "gpu_process_memory_bytes"]
    for phase in ("idle", "loaded", "idle again"):
        worker = threading.Thread(target=multiply) if phase == "loaded" else None
        if worker:
            worker.start()
        time.sleep(seconds)
        for expression in watched:
            print(f"{phase:10} {expression:48} {[round(item['value'], 3) for item in ask(ctl, expression)]}")
        if worker:
            stop.set()
            worker.join()
    return 0


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    if verb == "compare":
        sys.exit(compare(rest))
    elif verb == "cost":
        sys.exit(cost(rest[0], int(rest[1]), rest[2:]))
    sys.exit(load(int(rest[0]), rest[1:]))
