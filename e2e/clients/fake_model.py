"""A model server that has no model: OpenAI's chat completions and Anthropic's
messages, over loopback, with invented answers. It counts the tokens it hands out,
so that what was counted elsewhere can be compared with it.

What a request is for its model's name says:
  fake-plain, fake-tools, fake-cached, fake-reasoning   an answer of that kind
  fake-429, fake-500                                    an error, each time
  fake-flaky                                            an error at first, then an answer
  fake-embedding                                        numbers
"""

import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = ["forty", "two", "is", "the", "answer"]


class Counted:
    """What was handed out, by the model's name."""

    def __init__(self):
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        self.calls = {}
        self.tried = set()

    def add(self, model, **counts):
        with self.lock:
            held = self.calls.setdefault(model, {"calls": 0})
            held["calls"] += 1
            for name, count in counts.items():
                held[name] = held.get(name, 0) + count

    def first_time(self, key):
        with self.lock:
            new = key not in self.tried
            self.tried.add(key)
            return new


def usage(number, model):
    """Tokens of the n-th answer; every answer has others, so that a call counted
    twice or not at all cannot be made up for by another."""
    cached = 64 * number if model == "fake-cached" else 0
    reasoning = 7 + number if model == "fake-reasoning" else 0
    return {
        "input": 100 + 13 * number + cached,
        "output": 20 + 3 * number + reasoning,
        "cache_read": cached,
        "reasoning": reasoning,
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counted: Counted

    def log_message(self, *args):
        pass

    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        request = json.loads(self.rfile.read(length) or b"{}")
        model = request.get("model", "")
        if model in ("fake-429", "fake-500"):
            return self.fail(int(model[5:]), model)
        if model == "fake-flaky" and self.counted.first_time(request["user"]):
            return self.fail(500, None)
        with self.counted.lock:
            number = next(self.counted.numbers)
        tokens = usage(number, model)
        if self.path.endswith("/chat/completions"):
            answer = openai_chunks if request.get("stream") else openai_answer
        elif self.path.endswith("/embeddings"):
            answer = openai_embedding
            tokens = tokens | {"output": 0}
        elif self.path.endswith("/messages"):
            answer = anthropic_events if request.get("stream") else anthropic_answer
        else:
            return self.fail(404, None)
        self.counted.add(model, **tokens)
        body, content_type = answer(number, model, tokens, request)
        self.send(200, body, content_type)

    def fail(self, status, counted_as):
        if counted_as:
            self.counted.add(counted_as)
        text = "no capacity for the request SECRET-IN-THE-MESSAGE"
        body = {"error": {"message": text, "type": "fake", "code": None}}
        self.send(status, json.dumps(body), "application/json")

    def send(self, status, body, content_type):
        body = body.encode()
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def openai_usage(tokens):
    return {
        "prompt_tokens": tokens["input"],
        "completion_tokens": tokens["output"],
        "total_tokens": tokens["input"] + tokens["output"],
        "prompt_tokens_details": {"cached_tokens": tokens["cache_read"]},
        "completion_tokens_details": {"reasoning_tokens": tokens["reasoning"]},
    }


# Ids begin anew with each run, as those of other such servers do: the same id in
# another run is another call's.
def openai_id(number):
    return f"chatcmpl-fake{number:024d}"


def tool_call(number):
    call = {"name": "search", "arguments": '{"q":"SECRET-IN-THE-ARGUMENTS"}'}
    return {"id": f"call_fake{number:020d}", "type": "function", "function": call}


def openai_answer(number, model, tokens, request):
    message = {"role": "assistant", "content": " ".join(WORDS) + " SECRET-IN-THE-ANSWER"}
    finish = "stop"
    if model == "fake-tools":
        message = {"role": "assistant", "content": None, "tool_calls": [tool_call(number)]}
        finish = "tool_calls"
    body = {
        "id": openai_id(number),
        "object": "chat.completion",
        "created": 1763636400,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": openai_usage(tokens),
    }
    return json.dumps(body), "application/json"


def openai_embedding(number, model, tokens, request):
    body = {
        "object": "list",
        "model": model,
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.5]}],
        "usage": {"prompt_tokens": tokens["input"], "total_tokens": tokens["input"]},
    }
    return json.dumps(body), "application/json"


def openai_chunks(number, model, tokens, request):
    def chunk(choices, **more):
        return {
            "id": openai_id(number),
            "object": "chat.completion.chunk",
            "created": 1763636400,
            "model": model,
            "choices": choices,
            **more,
        }

    def delta(content, finish=None):
        return [{"index": 0, "delta": content, "finish_reason": finish}]

    chunks = [chunk(delta({"role": "assistant", "content": ""}))]
    chunks += [chunk(delta({"content": word + " "})) for word in WORDS]
    chunks.append(chunk(delta({}, "stop")))
    if (request.get("stream_options") or {}).get("include_usage"):
        chunks.append(chunk([], usage=openai_usage(tokens)))
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join(lines) + "data: [DONE]\n\n", "text/event-stream"


def anthropic_usage(tokens):
    # Anthropic's input is what was not read from the cache.
    return {
        "input_tokens": tokens["input"] - tokens["cache_read"],
        "output_tokens": tokens["output"],
        "cache_read_input_tokens": tokens["cache_read"],
        "cache_creation_input_tokens": 0,
    }


def anthropic_message(number, model, tokens):
    return {
        "id": f"msg_fake{number:020d}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": anthropic_usage(tokens),
    }


def anthropic_answer(number, model, tokens, request):
    text = {"type": "text", "text": " ".join(WORDS) + " SECRET-IN-THE-ANSWER"}
    body = anthropic_message(number, model, tokens)
    body |= {"content": [text], "stop_reason": "end_turn"}
    return json.dumps(body), "application/json"


def anthropic_events(number, model, tokens, request):
    events = [{"type": "message_start", "message": anthropic_message(number, model, tokens)}]
    block = {"type": "content_block_start", "index": 0}
    events.append(block | {"content_block": {"type": "text", "text": ""}})
    for word in WORDS:
        delta = {"type": "text_delta", "text": word + " "}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
    events.append({"type": "content_block_stop", "index": 0})
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    counted = {"output_tokens": tokens["output"]}
    events.append({"type": "message_delta", "delta": stop, "usage": counted})
    events.append({"type": "message_stop"})
    lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]
    return "".join(lines), "text/event-stream"


def start():
    """Serves on a free port of loopback; gives the address and what is counted."""
    counted = Counted()
    handler = type("Counting", (Handler,), {"counted": counted})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", counted
