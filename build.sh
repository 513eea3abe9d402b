#!/usr/bin/env bash
# up | test | e2e | bench | fuzz | pack | docs. The steps are in packaging/NodeAgent.Build, the same for build.ps1.
set -euo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
command -v dotnet >/dev/null || { echo "build.sh: dotnet is not on PATH; install the .NET 10 SDK" >&2; exit 2; }
# A compiler that stays warm over forty projects halves a cold build, also where the environment switches it off. -m:2: node startup costs
# more than it saves beyond that on the small machines this must be quick on.
export UseSharedCompilation=true
dotnet build packaging/NodeAgent.Build -c Release -v quiet --nologo -m:2 -clp:NoSummary
exec dotnet artifacts/bin/NodeAgent.Build/release/NodeAgent.Build.dll "$@"
