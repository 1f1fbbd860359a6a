#!/bin/sh
# One request of the desktop app. DSM runs this as the package's user; who the browser's user is, the relay asks DSM.
unset NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS
target=/var/packages/AngioVault/target
export NODE_COMPILE_CACHE=/var/packages/AngioVault/var/cache
exec "$target/bin/node" --max-semi-space-size=1 "$target/app/relay.js"
