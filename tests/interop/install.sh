#!/bin/sh
# Installs what tests/NodeAgent.Interop.Tests needs of foreign gRPC stacks: Debian's python3-grpcio and npm's @grpc/grpc-js.
# Does nothing where they are; says what it could not install and still ends with 0, because those tests then skip and name it too.
set -u
cd "$(dirname "$0")" || exit 1

have_python() {
    /usr/bin/python3 -c 'import grpc.aio, google.protobuf' >/dev/null 2>&1 && command -v protoc >/dev/null
}

# What npm last installed is what the lock file asks for.
have_node() {
    [ -d node/node_modules/@grpc/grpc-js ] && [ node/node_modules/.package-lock.json -nt node/package-lock.json ]
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# Twice: a machine that is fresh from its image has no package lists yet.
apt_install() {
    command -v apt-get >/dev/null || return 1
    export DEBIAN_FRONTEND=noninteractive
    as_root apt-get install -y -q --no-install-recommends "$@" && return
    as_root apt-get update -q && as_root apt-get install -y -q --no-install-recommends "$@"
}

# quietly WHAT COMMAND...: one line when it fails, with the end of what the command said.
quietly() {
    what=$1
    shift
    if ! output=$("$@" 2>&1 </dev/null); then
        echo "interop: could not install $what; its tests will be skipped. The end of what was said:" >&2
        echo "$output" | tail -n 5 >&2
    fi
}

if ! have_python; then
    quietly 'python3-grpcio, python3-protobuf, protobuf-compiler (Debian)' apt_install python3-grpcio python3-protobuf protobuf-compiler
fi

if ! command -v npm >/dev/null; then
    echo 'interop: npm is not installed; the tests against @grpc/grpc-js will be skipped.' >&2
elif ! have_node; then
    # Nothing of it needs an install script; none is run.
    quietly '@grpc/grpc-js, @grpc/proto-loader (npm)' npm ci --prefix node --ignore-scripts --no-audit --no-fund --fetch-retries 1 --fetch-retry-mintimeout 1000
    touch -c node/node_modules/.package-lock.json
fi
