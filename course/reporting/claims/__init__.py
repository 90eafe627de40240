"""Claims are tests: each published claim that the course repeats, with what measures it."""
