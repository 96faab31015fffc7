"""Our alert rules as Prometheus takes them: `tacho alerts export`."""

import pathlib
import subprocess
import tempfile

import yaml

# Every family and figure that can be said, and names that mean something elsewhere.
RULES = """
- {name: failing, family: tool, metric: '*', condition: ratio > 0.1, min_count: 2, for_seconds: 5}
- {name: slow, family: tool, metric: '*', condition: p95 > 1, severity: critical, labels: {team: e2e}}
- {name: mean, family: tool, metric: '*', condition: avg > 1}
- {name: often, family: tool, metric: '*', condition: rate > 0}
- {name: busy, family: model, metric: '*', condition: count >= 1}
- {name: long, family: model, metric: '*', condition: sum > 1}
- {name: tokens, family: model_tokens, metric: '*', condition: sum > 1}
- {name: dear, family: model_cost, metric: '*', condition: sum > 0.0001}
- {name: cold, family: cache, metric: '*', condition: ratio < 0.9}
- {name: queries, family: query, metric: '*', condition: p50 > 1}
- {name: agents, family: agent, metric: '*', condition: p99 > 1}
- {name: chosen, family: selection, metric: '*', condition: count > 0}
- {name: errors, family: error, metric: '*', condition: count > 0}
- {name: events, family: event, metric: tool_call, condition: rate > 0}
- {name: lost, family: loss, metric: '*', condition: sum > 0}
- {name: gauge, family: metric, source: performance, metric: e2e_speed, condition: avg == 3}
- {name: machine, family: metric, source: system, metric: memory_usage_percent, condition: max > 0}
- {name: "odd: \\"name\\" {{ x }}", family: tool, metric: "a\\"b\\\\c", condition: p95 != -1,
   description: "{{ $labels.none }}"}
- {name: largest, family: tool, metric: '*', condition: max > 1}
- {name: parts, family: profile, metric: '*', condition: p95 > 1}
"""
UNSAID = ["largest", "parts"]
# Of a tool that is never called, so that it has no data to fire by.
SILENT = 'odd: "name" {{ x }}'


class Exported:
    """The rule file that `tacho` makes of them."""

    def __init__(self, tacho, home):
        self.folder = tempfile.TemporaryDirectory(prefix="tachograph-rules-")
        given = pathlib.Path(self.folder.name) / "rules.yaml"
        given.write_text(RULES)
        self.path = pathlib.Path(self.folder.name) / "exported.yml"
        command = [tacho, "alerts", "export", "--home", home]
        command += ["--rules", str(given), "--output", str(self.path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"tacho alerts export: {done.stderr}")
        self.said = done.stderr
        groups = yaml.safe_load(self.path.read_text())["groups"]
        self.rules = {rule["alert"]: rule for group in groups for rule in group["rules"]}

    def names(self):
        return sorted(self.rules)

    def unsaid(self):
        """Which rules stderr names as not exported."""
        return [name for name in UNSAID if f'"{name}" is not exported' in self.said]

    def linted(self):
        """What `promtool check rules` says; nothing is best."""
        command = ["promtool", "check", "rules", str(self.path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        said = done.stdout + done.stderr
        good = done.returncode == 0 and f"SUCCESS: {len(self.rules)} rules found" in said
        return "" if good else said


def given():
    return sorted(rule["name"] for rule in yaml.safe_load(RULES) if rule["name"] not in UNSAID)


def quiet(asked, exported):
    """Which expressions show nothing, or why they cannot be asked."""
    found = []
    for name, rule in exported.rules.items():
        if name == SILENT:
            continue
        try:
            # There are only some seconds to look at.
            if not asked.get("query", query=rule["expr"].replace("[300s]", "[20s]"))["result"]:
                found.append(name)
        except ValueError as error:
            found.append(f"{name}: {error}")
    return found
