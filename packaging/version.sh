#!/bin/sh
# Prints this checkout's version: the tag, or the next minor one's development version with the number of commits.
cd "$(dirname "$0")/.." || exit
if tag=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null); then
	echo "${tag#v}"
else
	base=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null || echo v0.0.0)
	minor=${base#v*.}
	echo "${base%%.*}.$((${minor%%.*} + 1)).0-dev.$(git rev-list --count HEAD 2>/dev/null || echo 0)" | sed 's/^v//'
fi
