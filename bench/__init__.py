"""Benchmarks, measured as ratios within one run; see bench/README.md."""
