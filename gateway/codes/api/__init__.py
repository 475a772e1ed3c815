"""`/v1/enterprise-codes`: a registering authority issues, lists, reissues and revokes codes."""
