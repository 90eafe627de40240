"""What was run once to fill files/: `python -m experiments.NAME`. Nothing imports it; no copy for students has it."""
