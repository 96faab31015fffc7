"""What clients sent beside what Tachograph stored."""

import json
import pathlib


class Log:
    """Follows the log of a home. What was acknowledged is on the disk: nothing
    here ever waits."""

    def __init__(self, home):
        self.path = pathlib.Path(home) / "events.jsonl"
        self.at = 0

    def since(self):
        """The events that came since it was asked last."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self.at)
            text = file.read()
        self.at += len(text)
        return [json.loads(line) for line in text.splitlines()]


class Checks:
    """Compares, tells, and counts."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def equal(self, what, found, expected):
        if found == expected:
            self.passed += 1
            print(f"  ok      {what}: {short(found)}", flush=True)
            return
        self.failed += 1
        print(f"  FAILED  {what}", flush=True)
        print(f"          expected {json.dumps(expected, sort_keys=True)}", flush=True)
        print(f"          found    {json.dumps(found, sort_keys=True)}", flush=True)


def short(value):
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 90 else text[:87] + "..."


def of_type(events, event_type):
    return [event for event in events if event["event_type"] == event_type]


def total(events, field):
    return sum(event.get(field, 0) for event in events)


def by_model(events, fields):
    """Calls that went well, by their model, with sums of fields."""
    found = {}
    for event in of_type(events, "llm_call"):
        if not event["success"]:
            continue
        held = found.setdefault(event.get("model"), dict.fromkeys(["calls", *fields], 0))
        held["calls"] += 1
        for field in fields:
            held[field] += event.get(field, 0)
    return found


def failures(events):
    """Calls that failed, by the class of their error."""
    found = {}
    for event in of_type(events, "llm_call"):
        if not event["success"]:
            found[event["error_type"]] = found.get(event["error_type"], 0) + 1
    return found
