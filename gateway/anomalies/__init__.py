"""Anomalies in what a client asks: daily counts from the disclosure log, detectors, alarms, throttling."""
