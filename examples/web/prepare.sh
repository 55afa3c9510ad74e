# Installs and builds what is missing or old. Sourced by ./start and ./test, which have changed to this folder.

node -e 'process.exit(process.versions.node.localeCompare("20.19", "en", { numeric: true }) < 0 ? 1 : 0)' ||
    { echo "Node.js 20.19 or newer is needed" >&2; exit 1; }
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --silent
if [ ! -f .next/BUILD_ID ] || [ -n "$(find src next.config.ts package-lock.json -newer .next/BUILD_ID -print -quit)" ]; then
    NEXT_TELEMETRY_DISABLED=1 npx next build
fi

# The path of a task server's program: the one that is handed in, or one built here.
task_server() {
    case $1 in tasks-axum | tasks-actix) ;; *) echo "$1: name tasks-axum or tasks-actix" >&2; return 1 ;; esac
    local built=${TASKS_BINARIES:-}
    if [ -z "$built" ]; then
        (cd ../.. && cargo build -q -p "$1") >&2
        built=${CARGO_TARGET_DIR:-../../target}/debug
    fi
    echo "$built/$1"
}
