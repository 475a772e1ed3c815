"""JSON that several rooms write alike: records, receipts, consents, objections, data quality, times."""
