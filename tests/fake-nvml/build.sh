#!/usr/bin/env bash
# Builds the fake library in two vintages: current/ and old/ (a driver without _v2 and _v3 calls, GPM, recovery action).
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
out="${1:-$here/../../artifacts/fake-nvml}"
command -v gcc >/dev/null || { echo "fake-nvml: gcc is not installed; the tests that need the fake GPU skip" >&2; exit 3; }
flags=(-std=gnu11 -O2 -Wall -Wextra -Werror -Wno-format-truncation -fPIC -shared -fvisibility=hidden -Wl,-soname,libnvidia-ml.so.1 -lm -lpthread -ldl)
sources=("$here"/*.c)
newest="$(ls -t "$here"/*.c "$here"/*.h "$0" | head -1)"
build() { # folder, definitions
  mkdir -p "$out/$1"
  [ "$out/$1/libnvidia-ml.so.1" -nt "$newest" ] && return
  gcc "${@:2}" -o "$out/$1/.new" "${sources[@]}" "${flags[@]}" && mv "$out/$1/.new" "$out/$1/libnvidia-ml.so.1"
}
build current
build old -DFAKE_OLD_DRIVER
