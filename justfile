# List the recipes
default:
    @just --list

# Everything that CI checks
check:
    .ci/run

# Serve on http://127.0.0.1:8000, or run another command: just run healthcheck
run *ARGS:
    cargo run -- {{ ARGS }}

# All tests, or the Rust tests that the arguments select: just test sessions
test *ARGS:
    tests/run {{ ARGS }}

# Format the code
fmt:
    cargo fmt

# The lints
lint:
    cargo clippy --all-targets -- -D warnings

# Build the code's documentation and open it
docs:
    cargo doc --no-deps --document-private-items --open

# Build the static executable, target/*/release/chatbot-widget
release:
    #!/usr/bin/env bash
    set -euo pipefail
    cargo build --release --locked
    host=$(rustc --version --verbose | sed -n 's/^host: //p')
    tests/static-link "${CARGO_TARGET_DIR:-target}/$host/release/chatbot-widget"

# Write openapi/openapi.json from the handlers
openapi:
    #!/usr/bin/env bash
    set -euo pipefail
    # A failed run must not leave half a document.
    new=$(mktemp openapi/.new.XXXXXX)
    trap 'rm -f "$new"' EXIT
    cargo run --quiet -- openapi > "$new"
    chmod 644 "$new"
    mv "$new" openapi/openapi.json

# Benchmarks; one of them: just bench data
bench *NAMES="data prompt store":
    cargo bench $(printf -- ' --bench %s' {{ NAMES }})

# Fuzz one target: just fuzz sql_guard 600 (see fuzz/README.md)
fuzz TARGET SECONDS="60":
    mkdir -p fuzz/corpus/{{ TARGET }} fuzz/seeds/{{ TARGET }}
    cp Cargo.lock fuzz/Cargo.lock
    cargo fuzz run -s none {{ TARGET }} fuzz/corpus/{{ TARGET }} fuzz/seeds/{{ TARGET }} -- -max_total_time={{ SECONDS }} -timeout=20
