"""Who is told: a mail server with TLS and a password, webhooks, Debian's Alertmanager."""

import email
import email.policy
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

TEST_SUBJECT = "TEST FIRING info Test of a channel: tachograph test"
PATIENCE = 30


class Got:
    """A mail that came."""

    def __init__(self, envelope, session):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.subject, self.thread = mail["Subject"], mail["References"]
        self.to = list(envelope.rcpt_tos)
        self.text = mail.get_content()
        self.tls = session.ssl is not None
        self.user = session.auth_data


class Mail:
    """Takes mail over STARTTLS from whoever knows the password."""

    def __init__(self, folder, password):
        self.certificate, key = folder / "mail.pem", folder / "mail.key"
        # Trusted as it is: so it must not be one that may vouch for others.
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        command += ["-addext", "basicConstraints=critical,CA:FALSE"]
        command += ["-keyout", str(key), "-out", str(self.certificate)]
        subprocess.run(command, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.got = []

        def authenticate(server, session, envelope, mechanism, data):
            fits = data.password == password.encode()
            return AuthResult(success=fits, auth_data=data.login.decode())

        self.controller = Controller(
            self,
            hostname="localhost",
            port=free_port(),
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=authenticate,
        )
        self.controller.start()
        self.port = self.controller.port

    async def handle_DATA(self, server, session, envelope):
        self.got.append(Got(envelope, session))
        return "250 taken"

    def stop(self):
        self.controller.stop()


class Hook:
    """A webhook that fails some times before it does not."""

    def __init__(self, fails=0):
        self.reset(fails)
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, text = hook.take(json.loads(body))
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self, fails):
        self.fails, self.got, self.times, self.answers = fails, [], [], []

    def take(self, body):
        status = 500 if len(self.got) < self.fails else 200
        self.got.append(body)
        self.times.append(time.monotonic())
        self.answers.append(status)
        return status, b"not yet" if status == 500 else b""

    def of(self, name):
        """What it was told of one rule."""
        return [body for body in self.got if body["alerts"][0]["labels"]["alertname"] == name]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Alertmanager:
    """Debian's, which tells a webhook of ours in turn."""

    def __init__(self, folder, webhook):
        config = {
            "route": {
                "receiver": "relay",
                "group_wait": "0s",
                "group_interval": "1s",
                "group_by": ["alertname"],
            },
            "receivers": [
                {"name": "relay", "webhook_configs": [{"url": webhook, "send_resolved": True}]}
            ],
        }
        (folder / "alertmanager.yml").write_text(json.dumps(config))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = (folder / "alertmanager.log").open("wb")
        self.process = subprocess.Popen(
            [
                "prometheus-alertmanager",
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stdout=self.log,
            stderr=self.log,
        )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.alerts()
                return
            except (OSError, urllib.error.URLError):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    raise
                time.sleep(0.1)

    def alerts(self, name=None):
        """What fires there."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10) as answer:
            all_of_them = json.load(answer)
        return [it for it in all_of_them if name in (None, it["labels"]["alertname"])]

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
