"""What OpenAPI cannot say: parameters that exclude each other, windows that are empty."""

from datetime import datetime, timezone

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


@schemathesis.hook
def filter_case(context, case):
    return not is_no_window(case.query or {})
