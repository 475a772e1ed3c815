"""Comparison of sources (比对): two deliveries of one dataset, paired by document number and USCC.

Nothing is stored but two heaps of temporary files, and of personal fields only whether they differ.
"""
