"""What OpenAPI cannot say: parameters that exclude each other, windows that are empty,
a form that an answer has not when another parameter is given, how long an address may be."""

from datetime import datetime, timezone
from urllib.parse import quote

import schemathesis


def instant(text):
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)


def is_no_window(query):
    """Whether the parameters, each right by itself, make no window together."""
    if sum(name in query for name in ("days", "hours", "since")) > 1:
        return True
    since = instant(query.get("since"))
    until = query.get("until") or query.get("as_of")
    until = instant(until) if until else datetime.now(timezone.utc)
    return since is not None and until is not None and since >= until


def is_no_form(query):
    """Whether statistics of one type of agent are asked for in a form they do not have."""
    one_agent = query.get("agent") not in (None, "all")
    return one_agent and query.get("format") not in (None, "json", "text")


# Bytes of an address that are enough to be refused before it is read (414, 431).
LONGEST = 60_000


def is_no_address(case):
    """Whether what it holds makes the address longer than one may be, percent-encoded."""
    values = [*(case.path_parameters or {}).values(), *(case.query or {}).values()]
    texts = (quote(str(value), safe="", errors="surrogatepass") for value in values)
    return sum(map(len, texts)) > LONGEST


@schemathesis.hook
def filter_case(context, case):
    query = case.query or {}
    return not (is_no_window(query) or is_no_form(query) or is_no_address(case))
