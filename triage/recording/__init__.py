"""One transaction's work on its cases: load, fold, plan, write."""
