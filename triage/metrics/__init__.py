"""Every instrument in one list, and the collector of the figures from the database."""
