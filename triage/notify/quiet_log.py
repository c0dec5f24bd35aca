"""Logs of the libraries that send: they name addresses, tokens and texts, so they stay silent.

What came of a page is told by `page.sent`.
"""

import logging

_LIBRARIES = ("aiohttp", "apprise", "urllib3")


def quieten_senders() -> None:
    """Keep these libraries' records from every handler of ours; harmless when called again."""
    for name in _LIBRARIES:
        logger = logging.getLogger(name)
        if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.addHandler(logging.NullHandler())
        logger.propagate = False
