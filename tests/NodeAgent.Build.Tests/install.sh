#!/usr/bin/env bash
# The outside judges of packages, units, manual pages, scripts, rules and alerts. What cannot be installed is named; its tests skip and say so.
set -u
missing=()
for pair in lintian:lintian rpmbuild:rpm rpmlint:rpmlint mandoc:mandoc shellcheck:shellcheck promtool:prometheus prometheus-alertmanager:prometheus-alertmanager; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing+=("${pair#*:}")
done
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
