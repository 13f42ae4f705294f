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

# Benchmarks; one of them: just bench data
bench *NAMES="data prompt store":
    cargo bench $(printf -- ' --bench %s' {{ NAMES }})

# Fuzz one parser: just fuzz sql_guard 600 (see fuzz/README.md)
fuzz TARGET SECONDS="60":
    mkdir -p fuzz/corpus/{{ TARGET }}
    cargo fuzz run -s none {{ TARGET }} fuzz/corpus/{{ TARGET }} fuzz/seeds/{{ TARGET }} -- -max_total_time={{ SECONDS }} -timeout=20
