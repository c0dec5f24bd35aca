"""The nouns: events, cases, pages, rosters. Standard library only."""
