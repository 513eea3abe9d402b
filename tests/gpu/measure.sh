#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: the published agent beside nvidia-smi. Compares every value, measures the cost of tick and fields, puts
# a load on and watches the values follow. Needs what `./build.sh pack` made (artifacts/publish), nvidia-smi and python3; PyTorch for the
# load. Writes into $1 (default: artifacts/gpu): raw.log, compare.txt, cost.txt, load.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."
out="${1:-artifacts/gpu}"
seconds="${SECONDS_EACH:-60}"
agent=artifacts/publish/agent-linux-x64/nodeagent
aggregator=artifacts/publish/aggregator-linux-x64/aggregator
ctl=artifacts/publish/nodectl-linux-x64/nodectl
for program in nvidia-smi python3 "$agent" "$aggregator" "$ctl"; do
  command -v "$program" >/dev/null || { echo "measure.sh: $program is missing (./build.sh pack makes ours)" >&2; exit 3; }
done

mkdir -p "$out"
work="$(mktemp -d)"
pids=()
finish() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"; }
trap finish EXIT

"$ctl" fleet init "$work/fleet" --name gpu --operator local >/dev/null
"$ctl" fleet issue "$work/fleet" agent gpu-host >/dev/null
address=127.0.0.1:17443
"$aggregator" run --set "listen.address=$address" --set "listen.ca_file=$work/fleet/ca.crt" \
  --set "listen.certificate_file=$work/fleet/aggregator.crt" --set "listen.key_file=$work/fleet/aggregator.key" 2>"$out/aggregator.log" & pids+=($!)
sleep 3
"$agent" run --set "uplink.aggregator=https://$address" --set "uplink.ca_file=$work/fleet/ca.crt" --set gpu.enabled=always \
  --set "uplink.certificate_file=$work/fleet/agents/gpu-host.crt" --set "uplink.key_file=$work/fleet/agents/gpu-host.key" 2>"$out/raw.log" & pids+=($!)
agent_pid=$!
sleep 75 # the slow tier has been read

connect=(--server "https://$address" --ca "$work/fleet/ca.crt" --cert "$work/fleet/operators/local.crt" --key "$work/fleet/operators/local.key")
nvidia-smi --query-gpu=index,name,driver_version,pstate,persistence_mode,mig.mode.current --format=csv >"$out/machine.txt"
python3 tests/gpu/compare.py compare "$ctl" "${connect[@]}" >"$out/compare.txt" && echo "compare: every value agrees" || echo "compare: see $out/compare.txt"
python3 tests/gpu/compare.py cost "$agent_pid" "$seconds" "$ctl" "${connect[@]}" >"$out/cost.txt"
if python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
  python3 tests/gpu/compare.py load "$seconds" "$ctl" "${connect[@]}" >"$out/load.txt"
else
  echo "no PyTorch with CUDA here: no load was put on" >"$out/load.txt"
fi
tail -n +1 "$out"/{machine,compare,cost,load}.txt
