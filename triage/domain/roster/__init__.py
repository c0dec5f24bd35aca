"""Who can be reached, and who serves when."""
