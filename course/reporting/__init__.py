"""Reports and the claims table, made from records."""
