"""Running notebooks unattended, one or many."""
