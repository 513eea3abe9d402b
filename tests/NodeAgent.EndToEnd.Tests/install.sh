#!/usr/bin/env bash
# What the end-to-end tests compare with, and what they make faults with. What cannot be installed is named; the tests that need it skip
# and say so.
set -u
missing=()
command -v prometheus-node-exporter >/dev/null 2>&1 || missing+=(prometheus-node-exporter)
command -v nft >/dev/null 2>&1 || [ -x /usr/sbin/nft ] || missing+=(nftables)
command -v victoria-metrics >/dev/null 2>&1 || missing+=(victoria-metrics)
command -v influxd >/dev/null 2>&1 || missing+=(influxdb)
[ "${#missing[@]}" -gt 0 ] || exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  # A package may start a service; policy-rc.d keeps it from running where an init system listens.
  [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d && made=1; }
  { apt-get update -qq && for package in "${missing[@]}"; do
      apt-get install -y -qq --no-install-recommends "$package" || echo "install.sh: $package could not be installed" >&2
    done; } >/dev/null
  [ -z "${made:-}" ] || rm -f /usr/sbin/policy-rc.d
else
  echo "install.sh: not installed: ${missing[*]} (apt-get install ${missing[*]})" >&2
fi
exit 0
