"""kit: what the benchmarks and the demo share: starting servers, running the load client, tables, medians.

Standard library only. Knows the built tree by its layout (build/bench, build/demos, build/shim) and nothing else.
"""
