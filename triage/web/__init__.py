"""The door for events over HTTP, the JSON API, the pages for people, metrics and health."""
