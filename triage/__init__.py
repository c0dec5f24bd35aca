"""Urgent-referral triage for metastatic spinal cord compression."""

__version__ = "0.1.0"
