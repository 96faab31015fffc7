"""A way to a server on which answers get lost: what comes is handed on, and for
the first so many requests the sender hears "try again" although all was well."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Lossy:
    """Stands in front of `address`; loses the first `lose` answers."""

    def __init__(self, address, lose):
        self.lost = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                names = ("content-type", "content-encoding")
                headers = {name: self.headers[name] for name in names if self.headers[name]}
                onward = http.client.HTTPConnection(address, timeout=20)
                onward.request("POST", self.path, body, headers)
                answer = onward.getresponse()
                status, text = answer.status, answer.read()
                onward.close()
                if status == 200 and outer.lost < lose:
                    outer.lost += 1
                    status, text = 503, b""
                self.send_response(status)
                self.send_header("content-type", answer.headers["content-type"])
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
