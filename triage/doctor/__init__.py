"""`triage doctor`: what would keep a page from arriving here. It changes nothing."""
