"""The production code on a virtual clock: months in seconds, crashes at every commit, one seed.

Nothing is made up but time, the bus, the providers and the people.
"""
