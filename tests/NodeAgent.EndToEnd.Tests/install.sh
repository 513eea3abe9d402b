#!/usr/bin/env bash
# What the end-to-end tests compare with. What cannot be installed is named; the tests that need it skip and say so.
set -u
command -v prometheus-node-exporter >/dev/null 2>&1 && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  # The package would start a service; policy-rc.d keeps it from running where an init system listens.
  [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d && made=1; }
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus-node-exporter; } >/dev/null 2>&1 \
    || echo "install.sh: prometheus-node-exporter could not be installed" >&2
  [ -z "${made:-}" ] || rm -f /usr/sbin/policy-rc.d
else
  echo "install.sh: prometheus-node-exporter is not installed (apt-get install prometheus-node-exporter)" >&2
fi
exit 0
