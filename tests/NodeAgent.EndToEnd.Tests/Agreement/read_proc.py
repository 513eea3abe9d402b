"""Reads a few files of /proc and /sys by itself and prints Prometheus text, as an independent check of the agent's parsers."""
import glob
import os
import re

HZ = os.sysconf("SC_CLK_TCK")


def show(name, kind, rows):
    print(f"# TYPE {name} {kind}")
    for labels, value in rows:
        text = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()))
        print(f"{name}{{{text}}} {value}" if text else f"{name} {value}")


def lines(path):
    with open(path, encoding="ascii") as file:
        return file.read().splitlines()


modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"]
cpus = []
for line in lines("/proc/stat"):
    words = line.split()
    found = re.fullmatch(r"cpu(\d+)", words[0])
    if found:
        cpus += [({"cpu": found.group(1), "mode": mode}, int(words[i + 1]) / HZ) for i, mode in enumerate(modes)]
    elif words[0] == "ctxt":
        show("node_context_switches_total", "counter", [({}, int(words[1]))])
    elif words[0] == "btime":
        show("node_boot_time_seconds", "gauge", [({}, int(words[1]))])
    elif words[0] == "processes":
        show("node_forks_total", "counter", [({}, int(words[1]))])
show("node_cpu_seconds_total", "counter", cpus)

for line in lines("/proc/meminfo"):
    name, value = line.split(":")
    words = value.split()
    if len(words) == 2 and words[1] == "kB":
        name = re.sub(r"[()]", "_", name).rstrip("_")
        show(f"node_memory_{name}_bytes", "gauge", [({}, int(words[0]) * 1024)])

columns = ["bytes", "packets", "errs", "drop"]
for direction, first in (("receive", 0), ("transmit", 8)):
    for i, column in enumerate(columns):
        rows = []
        for line in lines("/proc/net/dev")[2:]:
            device, rest = line.split(":")
            rows.append(({"device": device.strip()}, int(rest.split()[first + i])))
        show(f"node_network_{direction}_{column}_total", "counter", rows)

for i, load in enumerate(lines("/proc/loadavg")[0].split()[:3]):
    show(f"node_load{(1, 5, 15)[i]}", "gauge", [({}, load)])
