"""Real clients against a real server: what they sent beside what was stored."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import grafana
import prometheus
import rules
from checking import Checks, Log, by_model, failures, of_type, total
from lossy import Lossy

HERE = pathlib.Path(__file__).parent
# The longest that one client may take, seconds: most need two, on a machine that
# does much else a hundred times that.
CLIENT_SECONDS = 240
ALL_FIELDS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "reasoning": "reasoning_tokens",
}
# openai-v2 tells of these only.
TWO_FIELDS = {name: ALL_FIELDS[name] for name in ("input", "output")}
# Anthropic does not count reasoning by itself.
THREE_FIELDS = {name: ALL_FIELDS[name] for name in ("input", "output", "cache_read")}
SCHEMATHESIS = [
    *("--phases", "examples,coverage,fuzzing", "--max-examples", "12"),
    # Of lengths the server takes more than it promises: it counts bytes, a schema
    # characters. And no schema can say that two parameters exclude each other, or
    # what is a statement in SQL.
    *("--exclude-checks", "negative_data_rejection,positive_data_acceptance"),
    # Protobuf in snappy is nothing that can be made up from a schema.
    *("--exclude-operation-id", "write"),
    *("--generation-deterministic", "--request-timeout", "20", "--no-color"),
]
# What no schema can say, too.
HOOKS = pathlib.Path(__file__).resolve().parents[1] / "openapi" / "hooks.py"
WITH_PROMETHEUS = ("exposition", "prometheus", "graphs", "alert_rules")
OPENAI_ERRORS = {"RateLimitError": 2, "InternalServerError": 1}


class Run:
    def __init__(self, addresses, home, tacho):
        self.addresses, self.home, self.tacho = addresses, home, tacho
        self.log = Log(home)
        self.checks = Checks()
        # All that was handed out, for asking the engine at the end.
        self.handed_out = {"calls": 0, "input": 0, "output": 0}

    def client(self, script, *args, **env):
        """Runs one to its end; gives what it printed."""
        command = [sys.executable, str(HERE / script), *args]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=CLIENT_SECONDS,
            env=os.environ | env,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{script} {' '.join(args)}: {done.stderr[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def sdk(self):
        print("OpenTelemetry's SDK: gRPC and HTTP, with and without gzip", flush=True)
        grpc, http = self.addresses["otlp_grpc"], self.addresses["otlp_http"]
        sent = self.client("sdk.py", grpc, http)
        events = self.log.since()
        equal = self.checks.equal
        models = by_model(events, ["input_tokens"])
        calls = {"calls": sent["calls"], "input_tokens": sent["input"]}
        equal("calls and tokens of spans", models.get("sdk-model"), calls)
        logged = {"calls": 4, "input_tokens": sent["logged"]}
        equal("calls and tokens of logs", models.get("logged-model"), logged)
        tools = of_type(events, "tool_call")
        equal("tool calls", len(tools), sent["tools"])
        ended = [(tool["success"], tool.get("error_type")) for tool in tools]
        equal("how they ended", ended, [(False, "TimeoutError")] * sent["failed"])
        equal("runs of agents", len(of_type(events, "agent_usage")), sent["agents"])
        metrics = [event for event in of_type(events, "metric") if event["source"] == "e2e"]
        counted = [event for event in metrics if event["name"] == "things"]
        equal("a running total, sent three times", total(counted, "value"), sent["counted"])
        lasted = [event for event in metrics if event["name"] == "lasted"]
        equal("measurements of a histogram", total(lasted, "count"), 8)
        seconds = sum(event["value"] * event["count"] for event in lasted)
        equal("their sum", seconds, 2 * 0.25 * (1 + 2 + 3 + 4))
        self.add(sent["calls"] + 4, sent["input"] + sent["logged"], 0)

    def models(
        self, kinds, fields, errors, protocol="http", gzip=False, lose=0, measured=False, **env
    ):
        print(f"{kinds} over {protocol}{', gzip' * gzip}{', answers lost' * bool(lose)}", flush=True)
        address = self.addresses[f"otlp_{protocol}"]
        way = Lossy(address, lose) if lose else None
        try:
            args = [kinds, protocol, way.address if way else address, *["gzip"] * gzip]
            counted = self.client("models.py", *args, **env)
        finally:
            if way:
                way.stop()
        if way:
            self.checks.equal("answers that got lost", way.lost, lose)
        events = self.compare(counted, fields, errors)
        if measured:
            self.usage_metrics(events, counted)

    def compare(self, counted, fields, errors):
        events = self.log.since()
        equal = self.checks.equal
        found = by_model(events, fields.values())
        for model, tokens in sorted(counted.items()):
            if "input" not in tokens:
                continue
            told = {fields[name]: tokens[name] for name in fields}
            equal(model, found.pop(model, None), {"calls": tokens["calls"], **told})
            self.add(tokens["calls"], tokens["input"], tokens["output"])
        equal("calls of other models", found, {})
        equal("calls that failed", failures(events), errors)
        self.handed_out["calls"] += sum(errors.values())
        tools = len(of_type(events, "tool_call"))
        equal("tool calls", tools, counted.get("fake-tools", {"calls": 0})["calls"])
        equal("runs of agents", len(of_type(events, "agent_usage")), 1)
        return events

    def usage_metrics(self, events, counted):
        """What an instrumentation measures beside its spans is the same again."""
        measured = [
            event
            for event in of_type(events, "metric")
            if event["source"] == "gen_ai" and event["name"] == "client.token.usage"
        ]
        for kind in ("input", "output"):
            of_kind = [event for event in measured if event["tags"]["gen_ai.token.type"] == kind]
            tokens = round(sum(event["value"] * event["count"] for event in of_kind))
            handed_out = sum(tokens.get(kind, 0) for tokens in counted.values())
            self.checks.equal(f"{kind} tokens, as its metrics have them", tokens, handed_out)

    def add(self, calls, tokens_in, tokens_out):
        self.handed_out["calls"] += calls
        self.handed_out["input"] += tokens_in
        self.handed_out["output"] += tokens_out

    def engine(self):
        print("the engine's answer over all of them", flush=True)
        query = (
            "select count(*) as calls, sum(input_tokens) as input, sum(output_tokens) as output"
            " from events where event_type = 'llm_call'"
        )
        command = [self.tacho, "sql", "--home", self.home, "--format", "json", query]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"tacho sql: {done.stderr}")
        found = json.loads(done.stdout)
        self.checks.equal("calls and tokens", found, [self.handed_out])

    def privacy(self):
        print("what must not be on the disk", flush=True)
        # The server's log lies beside the home.
        beside = pathlib.Path(self.home).parent.rglob("*")
        files = [path for path in beside if path.is_file()]
        leaky = [str(path) for path in files if b"SECRET" in path.read_bytes()]
        self.checks.equal("files with a text or an identity in them", leaky, [])


    def exposition(self):
        print("what Prometheus' own tool says of the exposition", flush=True)
        text = prometheus.fetch(f"http://{self.addresses['prometheus']}/metrics")
        self.checks.equal("promtool check metrics", prometheus.lint(text), "")
        self.checks.equal("some families", text.count(b"# TYPE tachograph_") > 10, True)

    def scrape_and_write(self):
        print("Prometheus scrapes, and writes to us", flush=True)
        scraped, written = self.addresses["prometheus"], self.addresses["dashboard"]
        with prometheus.Running(scraped, f"http://{written}/api/v1/write") as running:
            up = 'up{job="tacho"}'
            self.checks.equal("a target that is up", running.wait_for(up, 1), 1)
            name = "tachograph_ingest_requests_total"
            ours = prometheus.value(scraped, name, 'signal="traces"')
            query = name + '{signal="traces"}'
            self.checks.equal("requests it scraped", running.wait_for(query, ours), ours)
            stored = running.wait_until(self.written)
        self.checks.equal("what it wrote, and how its jobs are", stored, {"tacho": 1, "itself": 1})

    def written(self):
        """Its `up` series in the log, the newest of each job."""
        newest = {}
        for event in of_type(Log(self.home).since(), "metric"):
            if event["name"] == "up":
                newest[event["source"]] = event["value"]
        return newest if len(newest) == 2 else None

    def dashboards(self):
        print("Grafana's dashboards beside the exposition", flush=True)
        equal = self.checks.equal
        equal("kinds of event fed", grafana.fed_kinds(), grafana.kinds())
        wrong = grafana.feed(self.addresses["dashboard"])
        equal("what was wrong with them", wrong, [[], []])
        names = self.exposed_when(grafana.COMPLETE)
        for board in grafana.boards():
            equal(f"faults of {board.name}", board.shape(), [])
            targets = board.targets()
            strange = [f"{one.where}: {what}" for one in targets for what in one.strangers(names)]
            equal(f"names in its {len(targets)} queries that are not served", strange, [])
            strange = [
                what
                for _, metric, label in board.asked()
                for what in grafana.strangers(metric, [label], names)
            ]
            equal("names in its variables that are not served", strange, [])
        expected = {
            "versions": [1, 1],
            "provider": ["file", ["foldersFromFilesStructure", "path"]],
            "source": ["prometheus", "proxy", ["httpMethod", "timeInterval"]],
        }
        equal("provisioning files", grafana.provisioned(), expected)

    def exposed_when(self, texts):
        """The names and labels of the exposition, once it has these texts."""
        deadline = time.monotonic() + prometheus.PATIENCE
        while True:
            page = prometheus.fetch(f"http://{self.addresses['prometheus']}/metrics").decode()
            if all(text in page for text in texts) or time.monotonic() > deadline:
                return grafana.exposed(page)
            time.sleep(0.05)

    def graphs(self):
        print("Grafana's queries, asked of a Prometheus that scrapes us", flush=True)
        equal = self.checks.equal
        scraped, written = self.addresses["prometheus"], self.addresses["dashboard"]
        boards = grafana.boards()
        queries = [target.filled(grafana.ALL) for board in boards for target in board.targets()]
        equal(f"promtool check rules, of {len(queries)}", grafana.parsed(queries), "")
        with prometheus.Running(scraped, f"http://{written}/api/v1/write") as running:
            up = 'up{job="tacho"}'
            equal("a target that is up", running.wait_for(up, 1), 1)
            asked = grafana.Asked(running.own)
            silent = grafana.until_all_show(asked, lambda: grafana.feed(written))
            equal("queries that show nothing", silent, [])
            equal("figures that are known", asked.figures(), grafana.FIGURES)
            offered = {"instance": scraped, "tool": grafana.TOOL, "model": grafana.MODEL}
            for board in boards:
                for name, metric, label in board.asked():
                    values = asked.options(metric, label, grafana.ALL)
                    equal(f"variable {name} of {board.name}", offered[name] in values, True)

    def alert_rules(self):
        print("Our alert rules, evaluated by a Prometheus that scrapes us", flush=True)
        equal = self.checks.equal
        scraped, written = self.addresses["prometheus"], self.addresses["dashboard"]
        exported = rules.Exported(self.tacho, self.home)
        equal("rules exported", exported.names(), rules.given())
        equal("rules named as not exported", exported.unsaid(), rules.UNSAID)
        equal("promtool check rules", exported.linted(), "")
        with prometheus.Running(scraped, f"http://{written}/api/v1/write") as running:
            asked = grafana.Asked(running.own)
            equal("a target that is up", running.wait_for('up{job="tacho"}', 1), 1)
            deadline = time.monotonic() + grafana.PATIENCE
            while True:
                grafana.feed(written)
                quiet = rules.quiet(asked, exported)
                if not quiet or time.monotonic() > deadline:
                    break
                time.sleep(1)
            equal("rules whose expressions show nothing", quiet, [])

    def described(self):
        print("schemathesis on the API's description", flush=True)
        url = f"http://{self.addresses['dashboard']}/api/v1/openapi.json"
        command = [sys.executable, "-m", "schemathesis.cli", "run", url, *SCHEMATHESIS]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=CLIENT_SECONDS,
            cwd=pathlib.Path(self.home).parent,
            env={**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS)},
        )
        if done.returncode != 0:
            print(done.stdout[-6000:], done.stderr[-2000:])
        self.checks.equal("schemathesis run", done.returncode, 0)


def parts(run):
    captured = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"}
    # Only by the newest names it measures streams, too.
    newest = {
        "measured": True,
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT",
    }
    both = "openai-v2+openinference"
    anthropics = "anthropic+openinference-anthropic"
    errors = {"fake": 3}

    def models(*args, **more):
        return lambda: run.models(*args, **more)

    return {
        "sdk": run.sdk,
        "openai-v2": models("openai-v2", TWO_FIELDS, OPENAI_ERRORS, gzip=True, **captured),
        "newest": models("openai-v2", TWO_FIELDS, OPENAI_ERRORS, protocol="grpc", **newest),
        "openinference": models(
            "openinference", ALL_FIELDS, OPENAI_ERRORS, protocol="grpc", gzip=True
        ),
        "both": models(both, ALL_FIELDS, OPENAI_ERRORS, lose=2, **captured),
        "anthropic": models("anthropic", THREE_FIELDS, errors),
        "anthropics": models(anthropics, THREE_FIELDS, errors, protocol="grpc"),
        "engine": run.engine,
        "privacy": run.privacy,
        "exposition": run.exposition,
        "prometheus": run.scrape_and_write,
        "dashboards": run.dashboards,
        "graphs": run.graphs,
        "alert_rules": run.alert_rules,
        "described": run.described,
    }


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("addresses", type=json.loads, help="as in the ready file")
    options.add_argument("home")
    options.add_argument("tacho")
    options.add_argument("--without-prometheus", action="store_true")
    options.add_argument("parts", nargs="*", help="only these")
    options = options.parse_args()
    run = Run(options.addresses, options.home, options.tacho)
    known = parts(run)
    wanted = options.parts or list(known)
    if options.without_prometheus:
        wanted = [name for name in wanted if name not in WITH_PROMETHEUS]
    for name in wanted:
        # Of a client that was ended half-way.
        run.log.since()
        try:
            known[name]()
        except Exception as error:  # the next part may tell more
            run.checks.failed += 1
            print(f"  FAILED  {name}: {error!r}", flush=True)
    passed, failed = run.checks.passed, run.checks.failed
    word = "FAILED" if failed else "ok"
    print(f"test result: {word}. {passed} passed; {failed} failed; of real clients", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
