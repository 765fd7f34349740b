#!/bin/sh
# Build the archive of a base image, Debian 13 with Python 3.13, from Debian's own packages.
# For machines whose Docker engine reaches no registry; grader.sandbox.base_image runs it.
#
#   docker/base.sh OUT.tar [mmdebstrap option]... <sources.list
#
# The sources name the mirror, and are the caller's: the host's own, changed to this release.
set -eu
out=$1
shift

# Hooks run with the new root as $1. The mirror, a proxy's address and logs stay out of the image;
# so do setuid bits: nobody changes user in a box.
exec mmdebstrap --quiet --variant=minbase --architectures="$(dpkg --print-architecture)" \
    --include=ca-certificates,python3.13,python3.13-venv,tzdata \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --customize-hook='rm -rf "$1"/etc/apt/sources.list* "$1"/etc/apt/apt.conf.d/99mmdebstrap' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/* "$1"/var/cache/debconf/*-old' \
    --customize-hook='find "$1" -xdev -type f -perm /6000 -exec chmod a-s {} +' \
    "$@" trixie "$out" -
