# A menu. Each line is a command that works by itself.

# Shows this menu.
_:
    @just --list

# The main job, end to end, with nothing else installed.
demo *args:
    cargo run --release -- demo {{args}}

# All tests, with what they need installed.
test *args:
    ./scripts/test {{args}}

# What has to hold before a change lands.
ci:
    .ci/run

# 10,000 customers: pushed, and drained by one session. Prints both times.
bench:
    ./scripts/bench-10k

# The documentation of the code.
doc:
    cargo doc --no-deps --document-private-items --open
