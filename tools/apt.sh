#!/usr/bin/env bash
# Usage: tools/apt.sh PACKAGE...
# Sees that Debian packages are installed; silent when they all are. No service that comes with them is started or left
# enabled: Samba's daemons would otherwise come up on this machine's own interfaces.
set -euo pipefail

missing=()
for package in "$@"; do
	status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || status=
	[ "$status" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "not installed: ${missing[*]} (as root: apt-get install ${missing[*]})" >&2
	exit 1
fi

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
install() {
	"${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >&2
}
echo "installing ${missing[*]}" >&2
if ! install; then
	# The package list may be absent or older than the mirror: refresh it, once.
	"${apt[@]}" update >&2
	install
fi

if [ -d /run/systemd/system ]; then
	for package in "${missing[@]}"; do
		dpkg -L "$package" | sed -n 's,^\(/usr\)\?/lib/systemd/system/\([^/@]*\.service\)$,\2,p' |
			xargs -r systemctl disable --quiet 2>/dev/null || true
	done
fi
