"""Comparison of two sources (比对): two deliveries of one dataset, paired by USCC and natural key.

Nothing is stored beyond temporary files; of personal fields only equality is compared.
"""
