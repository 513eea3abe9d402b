%pre
systemd-sysusers --replace=%{_sysusersdir}/nodeagent-aggregator.conf - <<'USERS' >/dev/null 2>&1 || :
u nodeagent-aggregator - "NodeAgent aggregator" /var/lib/nodeagent-aggregator -
USERS

%post
systemd-tmpfiles --create nodeagent-aggregator.conf >/dev/null 2>&1 || :
if [ -d /run/systemd/system ]; then systemctl daemon-reload || :; fi
if [ $1 -eq 1 ]; then systemctl --no-reload preset nodeagent-aggregator.service >/dev/null 2>&1 || :; fi

%preun
if [ $1 -eq 0 ]; then systemctl --no-reload disable --now nodeagent-aggregator.service >/dev/null 2>&1 || :; fi

%postun
if [ -d /run/systemd/system ]; then systemctl daemon-reload || :; fi
# A configuration that the new version does not take must not stop the old one, which still runs.
if [ $1 -ge 1 ] && /usr/bin/aggregator run --check-config >/dev/null 2>&1; then systemctl try-restart nodeagent-aggregator.service >/dev/null 2>&1 || :; fi
