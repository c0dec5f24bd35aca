"""Pages go out: claimed from the store, sent on their route, the outcome recorded."""
