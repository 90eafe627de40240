"""What is fast, beside what it is compared with; run as `python -m benchmarks.NAME`, never as tests."""
