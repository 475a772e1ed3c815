"""Data quality of sources (数据质量): figures by month and dataset, scores, and the monthly bulletin (通报).

Figures are counts of records and of enterprises; no code, name or field value leaves the store.
"""
