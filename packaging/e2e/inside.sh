#!/bin/bash
# Runs inside a clean Debian that systemd booted: installs the packages in /e2e/first, enrols, looks, breaks things, upgrades to /e2e/second,
# purges. Each step says what it saw; the first thing that is not so ends it. Started by ./build.sh e2e --packages, and by nothing else.
set -eEuo pipefail
exec 2>&1
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive SYSTEMD_PAGER='' NODECTL_CONFIG=/root/lab/config.json
step=boot
trap 'echo "e2e: $step: line $LINENO: $BASH_COMMAND failed"; journalctl --no-pager -n 60 -o short-precise; systemctl --no-pager status nodeagent nodeagent-aggregator | head -60' ERR

say() { echo "e2e: $step: $*"; }
fail() { say "FAILED: $*"; false; }
# until_true SECONDS WHAT COMMAND...: the one place that waits.
until_true() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || { "$@" || true; fail "$what did not come"; }
        sleep 0.3
    done
}
property() { systemctl show --value -p "$2" "$1"; }
is_failed() { [ "$(property "$1" ActiveState)" = failed ]; }
is_active() { [ "$(property "$1" ActiveState)" = active ]; }
new_pid() { [ "$(property "$1" MainPID)" != "$2" ] && [ "$(property "$1" MainPID)" != 0 ] && is_active "$1"; }
node_is_live() { nodectl nodes -o json | tr -d ' \n' | grep -q '"name":"node-1".*"state":"live"'; }

# As docs/install.md says.
make_fleet() {
    nodectl fleet init /root/lab --name lab --server-name localhost,127.0.0.1 >/dev/null 2>&1
    install -D -m 0644 /root/lab/ca.crt /etc/nodeagent/fleet/ca.crt
    install -m 0644 /root/lab/issuer.crt /etc/nodeagent/fleet/issuer.crt
    install -m 0600 /root/lab/issuer.key /etc/nodeagent/fleet/issuer.key
    install -m 0644 /root/lab/aggregator.crt /etc/nodeagent/aggregator.crt
    install -m 0600 /root/lab/aggregator.key /etc/nodeagent/aggregator.key
}
enrol() {
    nodectl token create node-1 --file /root/node-1.token
    install -m 0640 -g nodeagent /root/node-1.token /etc/nodeagent/join.token
}

step=install
# A container has no kernel log to hand over; see the drop-in.
mkdir -p /etc/systemd/system/nodeagent.service.d
ln -s /dev/null /etc/systemd/system/nodeagent.service.d/20-kernel-log.conf
said=$(dpkg -i /e2e/first/*.deb)
grep -q 'nodeagent: not started yet' <<< "$said" || fail "an unconfigured agent was not left alone: $said"
id nodeagent >/dev/null
id nodeagent-aggregator >/dev/null
systemctl is-enabled --quiet nodeagent.service nodeagent-aggregator.service nodeagent-actuator.socket
is_active nodeagent && fail "the agent runs without an identity"
nodeagent run --check-config >/dev/null
say "users and units are there, nothing runs yet"

step=enrol
make_fleet
systemctl start nodeagent-aggregator
enrol
systemctl start nodeagent
is_active nodeagent-aggregator
is_active nodeagent
[ "$(stat -c %U:%a /var/lib/nodeagent)" = nodeagent:700 ]
[ "$(stat -c %U:%a /var/lib/nodeagent/identity/identity.pem)" = nodeagent:600 ]
rm /etc/nodeagent/join.token
say "aggregator: $(property nodeagent-aggregator StatusText)"
say "agent: $(property nodeagent StatusText)"

step=run
until_true 30 "node-1 in nodectl nodes" node_is_live
nodectl nodes
until_true 30 "node-1 in nodectl top" sh -c 'nodectl top --once | grep -q node-1'
nodectl top --once
[ "$(nodectl query 'max(node_filesystem_readonly{mountpoint="/"})' -o json | grep -c '"value": *1')" = 0 ] || fail "the sandbox made / read-only in the telemetry"
for unit in nodeagent nodeagent-aggregator; do
    pid=$(property $unit MainPID)
    [ "$(awk '/^CapEff/ { print $2 }' "/proc/$pid/status")" = 0000000000000000 ] || fail "$unit holds capabilities"
    [ "$(awk '/^NoNewPrivs/ { print $2 }' "/proc/$pid/status")" = 1 ]
    [ "$(stat -c %U "/proc/$pid")" != root ]
done
say "both run without a capability"

step=priorities
systemctl stop nodeagent-aggregator
until_true 30 "a warning of the agent" sh -c "journalctl -u nodeagent -p warning -o cat --no-pager | grep -q event="
systemctl start nodeagent-aggregator
journalctl -u nodeagent -o json --no-pager | grep -q '"PRIORITY":"4"'
journalctl -u nodeagent -o json --no-pager | grep -q '"PRIORITY":"6"'
journalctl -u nodeagent -u nodeagent-aggregator -o cat --no-pager | grep -q '^<[0-7]>' && fail "a priority prefix was left in a line"
until_true 30 "node-1 back" node_is_live
say "warnings are warnings: $(journalctl -u nodeagent -p warning -o cat --no-pager | tail -1 | cut -c1-150)"

step=watchdog
mkdir -p /etc/systemd/system/nodeagent.service.d
printf '[Service]\nWatchdogSec=3s\nTimeoutAbortSec=2s\n' > /etc/systemd/system/nodeagent.service.d/e2e.conf
systemctl daemon-reload
systemctl restart nodeagent
pid=$(property nodeagent MainPID)
kill -STOP "$pid"
until_true 30 "a new agent after the watchdog" new_pid nodeagent "$pid"
journalctl -u nodeagent -o cat --no-pager | grep -i 'watchdog timeout'
rm /etc/systemd/system/nodeagent.service.d/e2e.conf
systemctl daemon-reload
until_true 30 "node-1 live after the watchdog" node_is_live

step=restart
pid=$(property nodeagent MainPID)
kill -KILL "$pid"
until_true 30 "a new agent after SIGKILL" new_pid nodeagent "$pid"
pid=$(property nodeagent-aggregator MainPID)
kill -KILL "$pid"
until_true 30 "a new aggregator after SIGKILL" new_pid nodeagent-aggregator "$pid"
mkdir -p /etc/nodeagent/nodeagent.d
printf '{ "samplign": {} }\n' > /etc/nodeagent/nodeagent.d/wrong.json
systemctl restart nodeagent && fail "a wrong configuration was taken"
until_true 15 "a failed unit" is_failed nodeagent
[ "$(property nodeagent ExecMainStatus)" = 2 ] || fail "the exit status is $(property nodeagent ExecMainStatus)"
[ "$(property nodeagent NRestarts)" = 0 ] || fail "a wrong configuration is tried again and again"
journalctl -u nodeagent -o cat --no-pager | grep -m1 'wrong.json'
rm -r /etc/nodeagent/nodeagent.d
systemctl reset-failed nodeagent
systemctl start nodeagent
until_true 30 "node-1 live again" node_is_live
say "killed programs come back, a wrong configuration does not loop"

step=upgrade
printf '\n// changed by the administrator\n' >> /etc/nodeagent/nodeagent.json
sum=$(md5sum < /etc/nodeagent/nodeagent.json)
pid=$(property nodeagent MainPID)
aggregator=$(property nodeagent-aggregator MainPID)
dpkg --force-confold -i /e2e/second/*.deb
[ "$(md5sum < /etc/nodeagent/nodeagent.json)" = "$sum" ] || fail "the configuration was replaced"
[ "$(dpkg-query -W -f '${Version}' nodeagent)" = "$(cat /e2e/second/version)" ]
new_pid nodeagent "$pid" || fail "the agent was not restarted"
new_pid nodeagent-aggregator "$aggregator" || fail "the aggregator was not restarted"
until_true 30 "node-1 live after the upgrade" node_is_live
printf '{ "samplign": {} }\n' | install -D /dev/stdin /etc/nodeagent/nodeagent.d/wrong.json
pid=$(property nodeagent MainPID)
dpkg --force-confold -i /e2e/first/nodeagent_*.deb
[ "$(property nodeagent MainPID)" = "$pid" ] || fail "an agent that would not start again was stopped"
rm -r /etc/nodeagent/nodeagent.d
dpkg --force-confold -i /e2e/second/nodeagent_*.deb
say "configuration kept, both restarted, and a running agent was left alone when its configuration was not good"

step=purge
pid=$(property nodeagent MainPID)
dpkg -P nodeagent nodeagent-aggregator nodectl
[ ! -d "/proc/$pid" ] || fail "the agent still runs"
for path in /etc/nodeagent /var/lib/nodeagent /var/lib/nodeagent-aggregator /lib/systemd/system/nodeagent.service /usr/bin/nodeagent /run/nodeagent; do
    [ ! -e "$path" ] || fail "$path is left: $(find "$path" | head -5 | tr '\n' ' ')"
done
find /etc/systemd/system -name 'nodeagent*' ! -path '*/nodeagent.service.d*' | grep . && fail "units are left"
say "nothing is left but the users"
echo "install, run, watchdog, upgrade, purge: ok"
