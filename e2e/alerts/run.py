"""Alerts end to end with real parts: a mail server (aiosmtpd), Debian's Alertmanager
and a webhook server that fails twice are told by `tacho start` of what fires and of
what is over, once, over a restart and a kill."""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import parts

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "clients"))

from checking import Checks  # noqa: E402  the same as of other clients

PATIENCE = 60
# In the password, the webhook's address and its token; nowhere in what is said.
SECRET = "Xq7Zt0secret"
WINDOW = 2


class Run:
    def __init__(self, tacho, folder, with_alertmanager):
        self.tacho, self.folder = tacho, folder
        self.checks = Checks()
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.mail = parts.Mail(folder, SECRET)
        self.hook = parts.Hook(fails=2)
        self.relayed = parts.Hook()
        self.manager = None
        if with_alertmanager:
            self.manager = parts.Alertmanager(folder, self.relayed.url)
        self.server = None
        self.value = 1.0

    def configure(self):
        channels = {
            "mail": {
                "kind": "email",
                "server": "localhost",
                "port": self.mail.port,
                "security": "starttls",
                "ca_file": str(self.mail.certificate),
                "user": "tacho@example.com",
                "password_env": "E2E_MAIL_PASSWORD",
                "to": ["ops@example.com", "Second Person <second@example.com>"],
            },
            "hook": {
                "kind": "webhook",
                "url": f"{self.hook.url}/{SECRET}",
                "token": SECRET,
            },
            "own": {
                "kind": "exec",
                "command": ["sh", "-c", 'cat >> "$0"; echo >> "$0"', str(self.folder / "own.jsonl")],
            },
            "screen": {"kind": "terminal"},
        }
        if self.manager:
            channels["manager"] = {
                "kind": "alertmanager",
                "url": self.manager.url,
                "refresh_seconds": 2,
            }
        for channel in channels.values():
            channel["group_seconds"] = 0
        settings = {
            "alert_channels": channels,
            "collect_system": False,
            "alert_rules": [
                {
                    "name": "Too <hot> & loud",
                    "metric": "heat",
                    "source": "e2e",
                    "condition": "max > 10",
                    "window_seconds": WINDOW,
                    "cooldown_seconds": 0,
                    "severity": "critical",
                    "description": "somebody should look",
                    "labels": {"team": "e2e"},
                }
            ],
        }
        # JSON is YAML.
        (self.home / "config.yaml").write_text(json.dumps(settings))

    def start(self):
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        ports = ("", "otlp-grpc-", "otlp-http-", "json-", "prometheus-")
        command = [self.tacho, "--home", str(self.home), "start", "--ready-file", str(ready)]
        for port in ports:
            command += [f"--{port}port", "0"]
        env = os.environ | {"HOME": str(self.folder), "E2E_MAIL_PASSWORD": SECRET}
        env.pop("TACHOGRAPH_HOME", None)
        log = (self.folder / "server.log").open("ab")
        self.server = subprocess.Popen(
            command, env=env, stdout=subprocess.DEVNULL, stderr=log, cwd=self.folder
        )
        self.until("the server is ready", ready.exists)
        self.dashboard = json.loads(ready.read_text())["dashboard"]

    def stop(self, how=signal.SIGTERM):
        self.server.send_signal(how)
        return self.server.wait(timeout=PATIENCE)

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://{self.dashboard}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def feed(self):
        event = {"event_type": "metric", "source": "e2e", "name": "heat", "value": self.value}
        self.ask("POST", "/api/v1/events", event)

    def until(self, what, so, feeding=False):
        """Waits until it is so, and keeps the figure what it is meanwhile."""
        deadline = time.monotonic() + PATIENCE
        while not so():
            if time.monotonic() > deadline:
                raise RuntimeError(f"it never came to this: {what}")
            if self.server is not None and self.server.poll() not in (None, 0, -signal.SIGKILL):
                raise RuntimeError((self.folder / "server.log").read_text()[-2000:])
            if feeding:
                self.feed()
            time.sleep(0.2)
        return True

    def state(self):
        alerts = self.ask("GET", "/api/v1/alerts")[1]["alerts"]
        ours = [alert["state"] for alert in alerts if alert["rule"] == "Too <hot> & loud"]
        return ours[0] if ours else None

    def own(self):
        path = self.folder / "own.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["status"] for line in lines if line]

    def delivered(self):
        return all(
            channel["waiting"] == 0 for channel in self.ask("GET", "/api/v1/alerts")[1]["channels"]
        )

    def test(self):
        print("a marked test of each channel", flush=True)
        equal = self.checks.equal
        names = [channel["name"] for channel in self.ask("GET", "/api/v1/alerts")[1]["channels"]]
        # The webhook fails at first.
        expected = {name: 502 if name == "hook" else 200 for name in names}
        told = {name: self.ask("POST", f"/api/v1/alerts/test/{name}") for name in names}
        equal("status of each", {name: status for name, (status, _) in told.items()}, expected)
        refused = told["hook"][1]
        equal("why the webhook was not told", refused["detail"].split(": ", 1)[-1], "not yet")
        equal("of a channel that is none", self.ask("POST", "/api/v1/alerts/test/x")[0], 404)
        equal("mails", [mail.subject for mail in self.mail.got], [parts.TEST_SUBJECT])
        if self.manager:
            shown = self.manager.alerts()
            equal("its label at the Alertmanager", [it["labels"]["test"] for it in shown], ["true"])

    def fires(self):
        print("it fires", flush=True)
        equal = self.checks.equal
        # What the test used up of it.
        self.hook.reset(fails=2)
        self.mail.got.clear()
        (self.folder / "own.jsonl").unlink(missing_ok=True)
        self.value = 11.0
        self.until("it fires", lambda: self.state() == "firing", feeding=True)
        self.until("the webhook has it", lambda: len(self.hook.got) >= 3, feeding=True)
        self.until("all have it", self.delivered, feeding=True)
        equal("what the webhook answered", self.hook.answers, [500, 500, 200])
        bodies = self.hook.got
        equal("what it was told each time", [body["status"] for body in bodies], ["firing"] * 3)
        waits = [second - first for first, second in zip(self.hook.times, self.hook.times[1:])]
        equal("it was waited longer each time", waits[0] >= 0.7 and waits[1] >= 1.5, True)
        self.until("the mail is there", lambda: len(self.mail.got) == 1)
        mail = self.mail.got[0]
        equal("to whom", mail.to, ["ops@example.com", "second@example.com"])
        equal("its subject", mail.subject, "FIRING critical Too <hot> & loud: e2e heat")
        equal("what it says", "somebody should look" in mail.text and "max is 11" in mail.text, True)
        equal("over TLS, as whom", (mail.tls, mail.user), (True, "tacho@example.com"))
        equal("the command", self.own(), ["firing"])
        log = (self.folder / "server.log").read_text()
        equal("the log", log.count("FIRING Too <hot> & loud"), 1)
        if self.manager:
            self.at_manager()

    def at_manager(self):
        equal = self.checks.equal
        ours = lambda: self.manager.alerts("Too <hot> & loud")  # noqa: E731
        self.until("the Alertmanager has it", lambda: len(ours()) == 1, feeding=True)
        shown = ours()[0]
        labels = {
            "alertname": "Too <hot> & loud",
            "family": "metric",
            "name": "heat",
            "severity": "critical",
            "source": "e2e",
            "team": "e2e",
        }
        equal("labels at the Alertmanager", shown["labels"], labels)
        equal("it is active there", shown["status"]["state"], "active")
        equal("fingerprints", self.hook.got[-1]["alerts"][0]["fingerprint"], shown["fingerprint"])
        ends = shown["endsAt"]
        self.until("it is told on", lambda: ours() and ours()[0]["endsAt"] > ends, feeding=True)
        self.until("it relays", lambda: len(self.relayed.of("Too <hot> & loud")) >= 1, feeding=True)
        theirs, own = self.relayed.of("Too <hot> & loud")[0], self.hook.got[-1]
        equal("keys of its webhook and of ours", sorted(own), sorted(theirs))
        alike = [sorted(body["alerts"][0]) for body in (own, theirs)]
        equal("and of their alerts", alike[0], alike[1])

    def restarts(self):
        print("a restart and a kill while it fires", flush=True)
        equal = self.checks.equal
        for how in (signal.SIGTERM, signal.SIGKILL):
            ended = self.stop(how)
            equal(f"how it ended ({how.name})", ended, 0 if how == signal.SIGTERM else -how)
            self.start()
            self.until("it fires on", lambda: self.state() == "firing", feeding=True)
            end = time.monotonic() + 4
            self.until("a while", lambda: time.monotonic() > end, feeding=True)
        equal("notifications of the webhook", len(self.hook.got), 3)
        equal("mails", len(self.mail.got), 1)
        equal("runs of the command", self.own(), ["firing"])

    def silenced(self):
        print("a silence", flush=True)
        equal = self.checks.equal
        ask = {"rule": "Too <hot> & loud", "minutes": 5}
        status, silence = self.ask("POST", "/api/v1/alerts/silences", ask)
        equal("made", status, 201)
        shown = self.ask("GET", "/api/v1/alerts")[1]
        equal("shown", shown["silences"], [silence])
        until = [alert["silenced_until"] for alert in shown["alerts"] if alert["state"] == "firing"]
        equal("until when", until, [silence["until"]])
        self.value = 1.0
        self.until("it is over", lambda: self.state() != "firing", feeding=True)
        end = time.monotonic() + 3
        self.until("a while", lambda: time.monotonic() > end, feeding=True)
        equal("notifications of the webhook meanwhile", len(self.hook.got), 3)
        status, _ = self.ask("DELETE", f"/api/v1/alerts/silences/{silence['id']}")
        equal("ended", status, 200)

    def resolves(self):
        print("it is over", flush=True)
        equal = self.checks.equal
        self.until("the webhook has it", lambda: len(self.hook.got) == 4, feeding=True)
        self.until("the mail is there", lambda: len(self.mail.got) == 2, feeding=True)
        self.until("all have it", self.delivered, feeding=True)
        equal("the webhook", self.hook.got[-1]["status"], "resolved")
        subject = "RESOLVED critical Too <hot> & loud: e2e heat"
        equal("the mail", self.mail.got[-1].subject, subject)
        equal("one conversation", len({mail.thread for mail in self.mail.got}), 1)
        equal("the command", self.own(), ["firing", "resolved"])
        if self.manager:
            gone = lambda: not self.manager.alerts("Too <hot> & loud")  # noqa: E731
            self.until("gone at the Alertmanager", gone, feeding=True)
            over = lambda: [  # noqa: E731
                body for body in self.relayed.of("Too <hot> & loud") if body["status"] == "resolved"
            ]
            self.until("it relays", lambda: len(over()) >= 1, feeding=True)
            equal("it relays that it is over", over()[0]["alerts"][0]["status"], "resolved")

    def secrets(self):
        print("what must not be on the disk or in an answer", flush=True)
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        # The settings are the user's; the mail server has its own password.
        files = [path for path in files if path.name != "config.yaml"]
        leaky = [str(path) for path in files if SECRET.encode() in path.read_bytes()]
        self.checks.equal("files with a secret in them", leaky, [])
        shown = json.dumps(self.ask("GET", "/api/v1/alerts")[1])
        self.checks.equal("an answer with one", SECRET in shown, False)
        command = [self.tacho, "--home", str(self.home), "config", "alert_channels"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=self.folder)
        self.checks.equal("`tacho config` shows channels", "ops@example.com" in said.stdout, True)
        self.checks.equal("and no secret", SECRET in said.stdout + said.stderr, False)

    def all(self):
        self.configure()
        self.start()
        for part in (
            self.test,
            self.fires,
            self.restarts,
            self.silenced,
            self.resolves,
            self.secrets,
        ):
            part()

    def end(self):
        if self.server is not None and self.server.poll() is None:
            self.server.kill()
            self.server.wait()
        for part in (self.mail, self.hook, self.relayed, self.manager):
            if part:
                part.stop()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("tacho")
    options.add_argument("folder", type=pathlib.Path)
    options.add_argument("--without-alertmanager", action="store_true")
    options = options.parse_args()
    run = Run(options.tacho, options.folder, not options.without_alertmanager)
    try:
        run.all()
    except Exception as error:  # what held before it is told
        run.checks.failed += 1
        print(f"  FAILED  {error!r}", flush=True)
    finally:
        run.end()
    passed, failed = run.checks.passed, run.checks.failed
    word = "FAILED" if failed else "ok"
    print(f"test result: {word}. {passed} passed; {failed} failed; of alerts", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
