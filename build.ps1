# up | test | e2e | bench | fuzz | pack | docs. The steps are in packaging/NodeAgent.Build, the same for build.sh.
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot
$env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'
$env:DOTNET_NOLOGO = '1'
$env:UseSharedCompilation = 'true' # as in build.sh: a compiler that stays warm halves a cold build
if (-not (Get-Command dotnet -ErrorAction SilentlyContinue)) { Write-Error 'build.ps1: dotnet is not on PATH; install the .NET 10 SDK'; exit 2 }
dotnet build packaging/NodeAgent.Build -c Release -v quiet --nologo -m:2 -clp:NoSummary
if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
dotnet artifacts/bin/NodeAgent.Build/release/NodeAgent.Build.dll @args
exit $LASTEXITCODE
