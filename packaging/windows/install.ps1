# Makes a service of nodeagent.exe beside this script. Run as administrator; run again to upgrade: the configuration and the state stay.
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    [string]$ProgramFolder = "$env:ProgramFiles\NodeAgent",
    [string]$DataFolder = "$env:ProgramData\NodeAgent"
)
$ErrorActionPreference = 'Stop'
$service = 'NodeAgent'
$account = "NT SERVICE\$service"

function Invoke-Tool([string]$tool) {
    $output = & $tool @args 2>&1
    if ($LASTEXITCODE -ne 0) { throw "$tool $($args -join ' ') ended with ${LASTEXITCODE}: $output" }
}

if (Get-Service $service -ErrorAction SilentlyContinue) { Stop-Service $service }
New-Item -ItemType Directory -Force $ProgramFolder, $DataFolder | Out-Null
Copy-Item "$PSScriptRoot\nodeagent.exe" $ProgramFolder -Force
if (-not (Test-Path "$DataFolder\nodeagent.json")) { Copy-Item "$PSScriptRoot\nodeagent.json" $DataFolder }

# A virtual account: no password, no rights but its own, gone with the service.
$command = "`"$ProgramFolder\nodeagent.exe`" run --config `"$DataFolder\nodeagent.json`""
if (Get-Service $service -ErrorAction SilentlyContinue) {
    Invoke-Tool sc.exe config $service binPath= $command obj= $account start= delayed-auto
} else {
    Invoke-Tool sc.exe create $service binPath= $command obj= $account start= delayed-auto DisplayName= 'NodeAgent'
}
Invoke-Tool sc.exe description $service 'Samples this host and streams its telemetry to the aggregator.'
# Unrestricted, not restricted: a restricted token could not read performance data that is readable by Everyone but not by the service's own
# SID. The list of privileges below is what bounds it.
Invoke-Tool sc.exe sidtype $service unrestricted
Invoke-Tool sc.exe privs $service SeChangeNotifyPrivilege
# Starts again after 2 s, 10 s, then every minute; also when it ends with an error instead of crashing. A day without failure counts anew.
Invoke-Tool sc.exe failure $service reset= 86400 actions= restart/2000/restart/10000/restart/60000
Invoke-Tool sc.exe failureflag $service 1

# SYSTEM and administrators everything, the service its own folder; nobody else reads keys or spool.
Invoke-Tool icacls.exe $DataFolder /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' "${account}:(OI)(CI)M"
New-Item -Force "HKLM:\SYSTEM\CurrentControlSet\Services\EventLog\Application\$service" | Out-Null
Set-ItemProperty "HKLM:\SYSTEM\CurrentControlSet\Services\EventLog\Application\$service" EventMessageFile "$env:SystemRoot\System32\EventCreate.exe" -Type ExpandString
Set-ItemProperty "HKLM:\SYSTEM\CurrentControlSet\Services\EventLog\Application\$service" TypesSupported 7 -Type DWord

& "$ProgramFolder\nodeagent.exe" run --check-config --config "$DataFolder\nodeagent.json"
if ($LASTEXITCODE -ne 0) { Write-Warning "installed, not started: the configuration is not good"; exit 2 }
if (-not (Test-Path "$DataFolder\agent.key")) { Write-Warning "installed, not started: put ca.crt, agent.crt and agent.key below $DataFolder, then Start-Service $service"; exit 0 }
Start-Service $service
Get-Service $service
