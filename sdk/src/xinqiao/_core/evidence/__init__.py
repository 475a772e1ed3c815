"""Evidence kept by the caller, verified offline: answers, receipts, consent records, credit reports."""
