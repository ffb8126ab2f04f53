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

# How long each page takes with 100,000 records.
bench-pages:
    ./scripts/bench-pages

# The seeded simulation, in a release build: `just soak 0..13000`, `just soak 10m`.
soak *share:
    ./scripts/soak {{share}}

# Plants bugs, one by one, and shows that each is found.
plants:
    ./scripts/plants

# Kills the server so often, 200 times if no number is given.
crash *kills:
    ./scripts/crash {{kills}}

# Cuts the power so often, 2,000 times if no number is given.
power-cuts *cuts:
    ./scripts/power-cuts {{cuts}}

# The documentation of the code.
doc:
    cargo doc --no-deps --document-private-items --open
