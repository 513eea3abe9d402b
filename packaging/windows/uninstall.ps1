# Removes the service and the program; with -Purge also configuration, keys and state.
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    [string]$ProgramFolder = "$env:ProgramFiles\NodeAgent",
    [string]$DataFolder = "$env:ProgramData\NodeAgent",
    [switch]$Purge
)
$ErrorActionPreference = 'Stop'
$service = 'NodeAgent'
if (Get-Service $service -ErrorAction SilentlyContinue) {
    Stop-Service $service
    & sc.exe delete $service
    if ($LASTEXITCODE -ne 0) { throw "sc.exe delete $service ended with $LASTEXITCODE" }
}
Remove-Item -Recurse -Force $ProgramFolder -ErrorAction SilentlyContinue
Remove-Item -Recurse -Force "HKLM:\SYSTEM\CurrentControlSet\Services\EventLog\Application\$service" -ErrorAction SilentlyContinue
if ($Purge) { Remove-Item -Recurse -Force $DataFolder -ErrorAction SilentlyContinue }
