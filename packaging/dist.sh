#!/usr/bin/env bash
# Usage: packaging/dist.sh VERSION [OS/ARCH...]
# Builds static binaries, and packages for Linux, into dist/, with SHA256SUMS. The same commit gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
export VERSION=$1
export PACKAGE_VERSION=${VERSION/-/\~} # as packages have it: a development version is before its release
shift
[ $# -gt 0 ] || set -- linux/amd64 linux/arm64 linux/arm windows/amd64 darwin/amd64 darwin/arm64 freebsd/amd64
out=${DIST:-dist}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH CGO_ENABLED=0
umask 022
rm -rf "$out"
mkdir -p "$out"

build() { # OS ARCH FILE
	GOOS=$1 GOARCH=$2 GOARM=6 go build -trimpath -ldflags "-s -w" -o "$3" ./cmd/messngr
}

build_desktop() { # ARCH FILE
	local file
	file=$(realpath -m "$2")
	(cd desktop && GOOS=linux GOARCH=$1 go build -trimpath -ldflags "-s -w" -o "$file" ./cmd/messngr-desktop)
}

# Manual and completions come from the program itself, built for this machine.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build "$(go env GOHOSTOS)" "$(go env GOHOSTARCH)" "$work/messngr"
export DOCS=$work/docs
"$work/messngr" docs man "$DOCS/man"
"$work/messngr" docs completions "$DOCS/completions"
gzip -9n "$DOCS"/man/*
find "$DOCS" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

package() { # PACKAGER ARCH BINARY [CONFIG]
	PACKAGE_ARCH=$2 BINARY=$3 go tool -modfile=tools/go.mod nfpm package -f "${4:-packaging/nfpm.yaml}" -p "$1" -t "$out" >/dev/null
}

for target in "$@"; do
	os=${target%/*} arch=${target#*/}
	binary=$out/messngr-$VERSION-$os-$arch
	[ "$os" != windows ] || binary=$binary.exe
	build "$os" "$arch" "$binary"
	[ "$os" = linux ] || continue
	touch -d "@$SOURCE_DATE_EPOCH" "$binary"
	case $arch in
	arm) package deb arm6 "$binary"; package rpm arm7 "$binary" ;;
	*) package deb "$arch" "$binary"; package rpm "$arch" "$binary" ;;
	esac
	# Pop-ups and window, where the way to call GTK without a C compiler is proven.
	case $arch in amd64 | arm64) ;; *) continue ;; esac
	binary=$out/messngr-desktop-$VERSION-$os-$arch
	build_desktop "$arch" "$binary"
	touch -d "@$SOURCE_DATE_EPOCH" "$binary"
	for packager in deb rpm; do
		package "$packager" "$arch" "$binary" packaging/desktop/nfpm.yaml
	done
done
cd "$out"
sha256sum -- * >SHA256SUMS
