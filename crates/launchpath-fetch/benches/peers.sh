#!/bin/sh
# Installs the peer that the benchmark compares with, from Debian. Only for the benchmark: no test needs it.
set -e
apt-get update -qq
apt-get install -y -qq --no-install-recommends skopeo >/dev/null
skopeo --version
