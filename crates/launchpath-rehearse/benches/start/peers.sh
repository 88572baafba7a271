#!/bin/sh
# Installs the peers that the benchmarks compare with, from Debian. Only for benchmarks: no test needs them.
set -e
apt-get update -qq
apt-get install -y -qq --no-install-recommends crun runc skopeo util-linux iproute2 >/dev/null
crun --version | head -n 1
runc --version | head -n 1
skopeo --version
