"""The roster file (TOML): read, or refused with every reason."""
