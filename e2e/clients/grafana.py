"""Our dashboards for Grafana, beside what a real server shows and a real Prometheus keeps."""

import json
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "integrations/grafana"
NAMES = ["overview", "tools", "models"]
COLUMNS = 24
# So long may it take until every panel shows something, seconds.
PATIENCE = 60
# What Grafana puts in, here short, as there are only some seconds to look at.
WINDOWS = {"$__rate_interval": "20s", "$__range": "1m"}
# Prometheus' own label of each target.
TARGET = {"instance"}
FUNCTIONS = {"count", "histogram_quantile", "increase", "label_replace", "max", "rate", "sum"}
WORDS = {"and", "or", "unless"}
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
TOOL, MODEL = "e2e.search", "e2e-model"
# What a page has once it has all: a tool's events, and the machine's own, which come
# a second after the server.
COMPLETE = (f'tool="{TOOL}"', "tachograph_system_network_sent_bytes_per_second")

FED = [
    {"event_type": "agent_discovery", "operation": "search", "duration_ms": 2, "agent_count": 3},
    {"event_type": "agent_load", "load_time_ms": 1.5, "content_size_bytes": 6424},
    {"event_type": "session_start", "session_id": "e2e", "session_type": "e2e"},
    {"event_type": "session_end", "session_id": "e2e-ended", "session_duration_seconds": 9},
    {"event_type": "cache_operation", "operation": "get", "cache_size": 5, "hit_rate": 50},
    {"event_type": "agent_usage", "agent_id_hash": "e2e", "duration_ms": 900, "success": True},
    {"event_type": "performance", "metric_name": "e2e_speed", "value": 3},
    {"event_type": "error", "error_type": "TimeoutError", "source": "e2e"},
    {"event_type": "system_info", "platform": "linux", "cpus": 2},
    *(
        {"event_type": "tool_call", "tool": TOOL, "agent": "e2e", "duration_ms": ms, "success": ok}
        for ms, ok in ((40, True), (400, False))
    ),
    {"event_type": "tool_call", "tool": TOOL, "duration_ms": 70},
    {"event_type": "cache", "cache": "e2e", "operation": "hit", "hit": True},
    {"event_type": "cache", "cache": "e2e", "operation": "miss", "hit": False},
    {
        "event_type": "llm_call",
        "provider": "e2e",
        "model": MODEL,
        "agent": "e2e",
        "duration_ms": 1500,
        "success": True,
        "input_tokens": 1200,
        "output_tokens": 300,
        "cache_read_tokens": 800,
        "cache_write_tokens": 100,
        "reasoning_tokens": 50,
        "cost_usd": 0.02,
    },
    {
        "event_type": "llm_call",
        "provider": "e2e",
        "model": MODEL,
        "duration_ms": 90,
        "success": False,
        "error_type": "RateLimitError",
    },
    # It need not tell which model.
    {"event_type": "llm_call", "duration_ms": 300, "success": True, "cost_usd": 0.01},
    {"event_type": "query", "agent_type": "e2e", "duration_ms": 2500, "success": True},
    {"event_type": "query", "agent_type": "e2e", "duration_ms": 100, "success": False},
    {"event_type": "agent_selection", "selected_agent": "e2e", "complexity_score": 0.4},
    {"event_type": "tool_usage", "tool_name": TOOL, "tool_calls_count": 2},
    *(
        {"event_type": "metric", "source": "process", "name": f"e2e_{name}", "value": value}
        for name, value in (("cpu_percent", 12), ("memory_mb", 64), ("count", 2))
    ),
    {"event_type": "profile", "component": "e2e", "operation": "parse", "duration_ms": 4},
    {"event_type": "span", "name": "step", "duration_ms": 5, "success": True},
    {"event_type": "alert", "rule": "e2e", "severity": "info", "status": "resolved", "value": 1},
    {"event_type": "anomaly", "metric": "e2e", "type": "outlier", "severity": "low", "value": 1},
    {"event_type": "regression", "metric": "e2e", "type": "latency", "severity": "minor"},
    {"event_type": "file_count_delta", "source": "e2e", "delta": 1},
    {"event_type": "loss", "kind": "tool_call", "reason": "overload", "count": 1},
]

# What some panels make of them, to one digit.
FIGURES = {
    "overview: Cache hits (A)": 0.5,
    "overview: Failure ratio of tools by agent (A)": 0.5,
    "tools: Failed (A)": 0.5,
    "models: Failed (A)": 0.5,
    "models: Input from cache (A)": 0.7,
}


def feed(address):
    """Sends one event of every kind; gives what the server says was wrong with them."""
    request = urllib.request.Request(
        f"http://{address}/api/v1/events",
        data=json.dumps(FED).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        said = json.load(answer)
    return [said.get("rejected") or [], said.get("unknown_fields") or []]


def kinds():
    """Every kind of event that there is, as the generated document lists them."""
    text = (ROOT / "docs/events.md").read_text().split("\n## Columns")[0]
    return sorted(re.findall(r"^### `(\w+)`$", text, re.MULTILINE))


def fed_kinds():
    return sorted({event["event_type"] for event in FED})


def exposed(text):
    """Of an exposition: the values of each label of each name that samples have."""
    found = {}
    # Names may hold other ends of lines than this.
    for line in text.split("\n"):
        if not line or line.startswith("#"):
            continue
        name, labels = re.match(rf"({NAME})(?:{{(.*)}})? \S+$", line).groups()
        held = found.setdefault(name, {})
        for label, value in re.findall(rf'({NAME})="((?:[^"\\]|\\.)*)"', labels or ""):
            held.setdefault(label, set()).add(value)
    return found


class Target:
    """One query of one panel."""

    def __init__(self, where, target):
        self.where = where
        self.expr = target["expr"]
        self.legend = re.findall(r"{{\s*(\w+)\s*}}", target["legendFormat"])

    def strangers(self, names):
        """What the expression names that the exposition does not have."""
        return strangers(self.expr, self.legend, names)

    def filled(self, values):
        """As Grafana asks it, with these values of the variables."""
        return filled(self.expr, values)


def strangers(expr, legend, names):
    found = []
    served = {}
    rest = expr
    grouping = rf"\b(?:by|on)\s*\(([^)]*)\)"
    groups = [label.strip() for group in re.findall(grouping, rest) for label in group.split(",")]
    rest = re.sub(grouping, " ", rest)
    for name, matchers in re.findall(rf"({NAME})\s*{{([^}}]*)}}", rest):
        labels = names.get(name)
        if labels is None:
            # It is told of below.
            continue
        pairs = re.findall(rf'({NAME})\s*(=~|=|!=|!~)\s*"([^"]*)"', matchers)
        if len(pairs) != matchers.count('"') / 2:
            found.append(f"cannot read {{{matchers}}}")
        for label, _, value in pairs:
            if label in TARGET:
                continue
            if label not in labels:
                found.append(f"{name} has no label {label}")
            elif "$" not in value:
                odd = set(value.split("|")) - labels[label]
                found.extend(f"{name} has no {label} {one}" for one in odd)
    rest = re.sub(r'{[^}]*}|\[[^\]]*\]|"[^"]*"', " ", rest)
    for name, call in re.findall(rf"({NAME})(\s*\()?", rest):
        if call:
            if name not in FUNCTIONS:
                found.append(f"unknown function {name}")
        elif name in WORDS:
            continue
        elif name in names:
            served |= names[name]
        else:
            found.append(f"no metric {name}")
    odd = set(groups + legend) - set(served) - TARGET
    found.extend(f"no metric in it has a label {label}" for label in sorted(odd))
    return found


def filled(expr, values):
    for name, value in {**WINDOWS, **values}.items():
        expr = expr.replace(name, value)
    return expr


class Board:
    def __init__(self, name):
        self.name = name
        self.text = (FOLDER / f"{name}.json").read_text()
        self.json = json.loads(self.text)
        self.panels = self.json["panels"]
        self.variables = {one["name"]: one for one in self.json["templating"]["list"]}

    def shows(self):
        return [panel for panel in self.panels if panel["type"] != "row"]

    def targets(self):
        return [
            Target(f"{self.name}: {panel['title']} ({target['refId']})", target)
            for panel in self.shows()
            for target in panel["targets"]
        ]

    def shape(self):
        """What is wrong with it as it stands."""
        wrong = []
        if "id" in self.json:
            wrong.append("an id")
        ids = [panel["id"] for panel in self.panels]
        wrong += [f"id {one} twice" for one in sorted({one for one in ids if ids.count(one) > 1})]
        wrong += overlaps(self.panels)
        titles = [panel["title"] for panel in self.panels]
        wrong += [f"title {one} twice" for one in titles if titles.count(one) > 1]
        known = set(self.variables) | {"__rate_interval", "__range"}
        asked = set(re.findall(r"\$\{?(\w+)", self.text))
        wrong += [f"no variable {one}" for one in sorted(asked - known - {"__all"})]
        wrong += [f"variable {one} is not used" for one in sorted(known - asked)]
        for panel in self.shows():
            defaults = panel["fieldConfig"]["defaults"]
            for key, held in (
                ("description", panel.get("description")),
                ("unit", defaults.get("unit")),
                ("thresholds", defaults.get("thresholds", {}).get("steps")),
            ):
                if not held:
                    wrong.append(f"{panel['title']} without {key}")
            refs = [target["refId"] for target in panel["targets"]]
            if len(set(refs)) != len(refs):
                wrong.append(f"{panel['title']}: two queries of one name")
        return wrong

    def asked(self):
        """The variables whose values Prometheus knows: name, metric with filter, label."""
        found = []
        for name, variable in self.variables.items():
            if variable["type"] == "query":
                query = variable["query"]["query"]
                found.append((name, *re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()))
        return found


def overlaps(panels):
    """Places of the grid that two panels take, or that are beyond its edge."""
    wrong, taken = [], {}
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] < 0 or place["x"] + place["w"] > COLUMNS:
            wrong.append(f"{panel['title']} is beyond the edge")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), panel["title"])
                if other != panel["title"]:
                    wrong.append(f"{panel['title']} lies over {other}")
    return sorted(set(wrong))


def boards():
    return [Board(name) for name in NAMES]


def provisioned():
    """What the provisioning files say of the dashboards' place and of the data source."""
    folder = FOLDER / "provisioning"
    found = {}
    for path in sorted(folder.rglob("*.yaml")):
        found[path.parent.name] = yaml.safe_load(path.read_text())
    (provider,) = found["dashboards"]["providers"]
    (source,) = found["datasources"]["datasources"]
    versions = [found[name]["apiVersion"] for name in ("dashboards", "datasources")]
    return {
        "versions": versions,
        "provider": [provider["type"], sorted(provider["options"])],
        "source": [source["type"], source["access"], sorted(source["jsonData"])],
    }


def parsed(expressions):
    """What `promtool check rules` says of expressions; nothing is best."""
    rules = [{"record": f"e2e:panel:{at}", "expr": one} for at, one in enumerate(expressions)]
    with tempfile.TemporaryDirectory(prefix="tachograph-rules-") as folder:
        path = pathlib.Path(folder) / "rules.yml"
        path.write_text(yaml.safe_dump({"groups": [{"name": "e2e", "rules": rules}]}))
        command = ["promtool", "check", "rules", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    said = done.stdout + done.stderr
    if done.returncode == 0 and f"SUCCESS: {len(rules)} rules found" in said:
        return ""
    return said


class Asked:
    """A Prometheus' HTTP API."""

    def __init__(self, address):
        self.address = address

    def get(self, path, **params):
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(params)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error)["error"]) from None

    def wanting(self, target, values):
        """Why a query shows nothing; empty if it shows something."""
        try:
            series = self.get("query", query=target.filled(values))["result"]
        except ValueError as error:
            return str(error)
        if not any(one["value"][1] != "NaN" for one in series):
            return "no data"
        unnamed = [label for label in target.legend for one in series if label not in one["metric"]]
        return f"no label {unnamed[0]} for its legend" if unnamed else ""

    def figures(self):
        """What those panels show that it is known of, of the fed tool and model."""
        found = {}
        for target in (one for board in boards() for one in board.targets()):
            if target.where in FIGURES:
                (series,) = self.get("query", query=target.filled(ONE))["result"]
                found[target.where] = round(float(series["value"][1]), 1)
        return found

    def options(self, metric, label, values):
        """What a variable offers."""
        params = {"match[]": filled(metric, values)}
        return self.get(f"label/{label}/values", **params)


# As `All` has it, and as one chosen value, its dots escaped as Grafana does it.
ALL = {"$instance": ".*", "$tool": ".*", "$model": ".*"}
ONE = {"$instance": ".*", "$tool": TOOL.replace(".", r"\\."), "$model": MODEL}


def until_all_show(prometheus, feeding):
    """Feeds until every query shows something with all values and with one; gives
    those that did not, and why."""
    targets = [target for board in boards() for target in board.targets()]
    left = [(target, values) for target in targets for values in (ALL, ONE)]
    deadline = time.monotonic() + PATIENCE
    while True:
        feeding()
        wanting = [(*one, prometheus.wanting(*one)) for one in left]
        left = [(target, values) for target, values, why in wanting if why]
        if not left or time.monotonic() > deadline:
            return [f"{target.where}: {why}" for target, _, why in wanting if why]
        time.sleep(1)
