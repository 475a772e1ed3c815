"""Verification over HTTP: yes/no questions about one enterprise, probe-proof."""
