# List the recipes
default:
    @just --list

# Everything that CI checks: format, lints, documentation, tests
check:
    .ci/run

# Serve on http://127.0.0.1:8000, or run another command: just run healthcheck
run *ARGS:
    cargo run -- {{ ARGS }}

# All tests, or those that the arguments select: just test sessions
test *ARGS:
    tests/run {{ ARGS }}

# Format the code
fmt:
    cargo fmt

# Only the lints
lint:
    cargo clippy --all-targets -- -D warnings

# Build the code's documentation and open it
docs:
    cargo doc --no-deps --document-private-items --open

# The static executable, target/*/release/chatbot-widget
release:
    cargo build --release --locked

# Write openapi/openapi.json anew from the handlers
openapi:
    #!/usr/bin/env bash
    set -euo pipefail
    # A failed run must not leave half a document behind.
    new=$(mktemp openapi/.new.XXXXXX)
    trap 'rm -f "$new"' EXIT
    cargo run --quiet -- openapi > "$new"
    chmod 644 "$new"
    mv "$new" openapi/openapi.json
