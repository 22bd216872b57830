#!/usr/bin/env bash
# Installs the real peers that the tests in interop/ and the measurements in bench/ run against, and the tools that
# watch them. Silent when everything is there.
set -euo pipefail
exec "$(dirname "$0")/../tools/apt.sh" \
	samba smbclient samba-common-bin python3-samba samba-dsdb-modules samba-testsuite \
	rwall rwalld rpcbind \
	iproute2 iputils-ping util-linux procps \
	tshark tcpdump strace \
	tmux bsdutils bsdextrautils \
	rpm man-db libnss-extrausers \
	xvfb xdotool x11-utils imagemagick dbus-daemon dbus-x11 dbus-user-session at-spi2-core fonts-noto-core \
	dunst notification-daemon xfce4-notifyd lxqt-notificationd xfce4-panel \
	dbus-bin libglib2.0-bin desktop-file-utils appstream systemd \
	gir1.2-gtk-3.0 gir1.2-atspi-2.0 python3-pyatspi openbox x11-xserver-utils xserver-xorg-core xserver-xorg-video-dummy \
	adwaita-icon-theme librsvg2-common fonts-noto-cjk
