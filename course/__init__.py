"""Runs the course unattended; makes its records, reports, claims table and blank version."""
