"""Debian's Prometheus, and its `promtool`."""

import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

# So long may it take until something is so, seconds.
PATIENCE = 30

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: tacho
    static_configs: [{{targets: ['{scraped}']}}]
  - job_name: itself
    static_configs: [{{targets: ['{own}']}}]
remote_write:
  - url: {write_to}
    queue_config: {{batch_send_deadline: 1s}}
    # What it scraped of us would come back to us.
    write_relabel_configs:
      - {{source_labels: [__name__], regex: 'up|prometheus_http_requests_total', action: keep}}
"""


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def lint(text):
    """What `promtool check metrics` says of an exposition; nothing is best."""
    command = ["promtool", "check", "metrics"]
    done = subprocess.run(command, input=text, capture_output=True, timeout=20)
    said = (done.stdout + done.stderr).decode()
    return said or ("" if done.returncode == 0 else f"exit code {done.returncode}")


def value(address, name, labels):
    """A sample of an exposition, by a piece of its labels."""
    text = fetch(f"http://{address}/metrics").decode()
    for found in re.finditer(rf"^{name}{{(.*)}} (\S+)$", text, re.MULTILINE):
        if labels in found[1]:
            return float(found[2])
    raise RuntimeError(f"no {name} with {labels} in the exposition")


class Running:
    """A Prometheus that scrapes us and itself, and writes to us."""

    def __init__(self, scraped, write_to):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tachograph-prometheus-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.own = f"127.0.0.1:{free.getsockname()[1]}"
        config = self.folder / "prometheus.yml"
        config.write_text(CONFIG.format(scraped=scraped, own=self.own, write_to=write_to))
        command = [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={self.own}",
        ]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)

    def query(self, query):
        """The first value it answers with; None for none yet."""
        query = urllib.parse.urlencode({"query": query})
        try:
            answer = json.loads(fetch(f"http://{self.own}/api/v1/query?{query}"))
        except OSError:
            return None
        found = answer["data"]["result"]
        return float(found[0]["value"][1]) if found else None

    def wait_for(self, query, expected):
        """What it answers, at the latest when that is as expected."""
        self.wait_until(lambda: self.query(query) == expected or None)
        return self.query(query)

    def wait_until(self, found):
        """What is found, asked until it is something."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            something = found()
            if something is not None:
                return something
            time.sleep(0.2)
        return None
