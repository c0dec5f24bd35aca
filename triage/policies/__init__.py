"""The policy book as cited data: reading findings, classifying, explaining, verifying. Pure."""
