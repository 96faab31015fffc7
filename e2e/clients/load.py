"""Load as an agent makes it, through OpenTelemetry's own SDK and exporters.

usage: load.py PROTOCOL ADDRESS SPANS [HEADER=VALUE]
Ten spans a trace: an agent, three calls of a model with texts, four of tools, two
retrievals, by OpenInference's names. Spans are made before the clock starts.
Prints what was sent, in how many seconds, and for how much of its own processor time.
"""

import json
import random
import sys
import time

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

BATCH = 512
# Median milliseconds of each kind, in the order of a trace.
STEPS = [("RETRIEVER", 45), ("LLM", 900), ("TOOL", 90), ("TOOL", 90), ("LLM", 900)]
STEPS += [("TOOL", 90), ("RETRIEVER", 45), ("TOOL", 90), ("LLM", 900)]
MODELS = ["claude-sonnet-4-5", "gpt-5-mini", "gemini-2.5-flash"]
TEXT = "A sentence that stands for what people and models write to each other. " * 8
RESOURCE = Resource({"service.name": "load"})
SCOPE = InstrumentationScope("load", "1.0")


def attributes(kind, chance):
    told = {"openinference.span.kind": kind, "session.id": f"s{chance.randrange(500)}"}
    if kind == "LLM":
        read, written = chance.randrange(200, 6000), chance.randrange(20, 900)
        told |= {"llm.model_name": chance.choice(MODELS), "llm.provider": "load"}
        told |= {"llm.token_count.prompt": read, "llm.token_count.completion": written}
        told |= {"llm.token_count.total": read + written}
        told |= {"input.value": TEXT[:400], "output.value": TEXT[:300]}
    elif kind == "TOOL":
        told |= {"tool.name": f"tool_{chance.randrange(20)}", "output.value": TEXT[:120]}
    elif kind == "AGENT":
        told |= {"agent.name": f"agent_{chance.randrange(12)}", "input.value": TEXT[:200]}
    else:
        told |= {"input.value": TEXT[:60]}
    return told


def spans(count, chance):
    now = time.time_ns()
    made = []
    while len(made) < count:
        trace, root = chance.getrandbits(128) | 1, chance.getrandbits(64) | 1
        began = clock = now - chance.randrange(24 * 3600 * 10**9)
        parent = SpanContext(trace, root, False, TraceFlags(1))

        def add(kind, span, above, start, end):
            code = StatusCode.ERROR if chance.random() < 0.02 else StatusCode.OK
            made.append(
                ReadableSpan(
                    name=kind.lower(),
                    context=SpanContext(trace, span, False, TraceFlags(1)),
                    parent=above,
                    resource=RESOURCE,
                    attributes=attributes(kind, chance),
                    kind=SpanKind.INTERNAL,
                    instrumentation_scope=SCOPE,
                    status=Status(code),
                    start_time=start,
                    end_time=end,
                )
            )

        for kind, median in STEPS:
            end = clock + int(median * chance.lognormvariate(0, 0.7) * 1e6)
            add(kind, chance.getrandbits(64) | 1, parent, clock, end)
            clock = end
        add("AGENT", root, None, began, clock)
    return made[:count]


def main():
    protocol, address, count, *headers = sys.argv[1:]
    headers = dict(header.split("=", 1) for header in headers)
    if protocol == "grpc":
        exporter = GrpcSpans(endpoint=address, insecure=True, timeout=60)
    else:
        exporter = HttpSpans(endpoint=f"http://{address}/v1/traces", headers=headers, timeout=60)
    made = spans(int(count), random.Random(7))
    began, used = time.perf_counter(), time.process_time()
    for start in range(0, len(made), BATCH):
        batch = made[start : start + BATCH]
        if exporter.export(batch) is not SpanExportResult.SUCCESS:
            sys.exit("a batch was not taken")
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    print(json.dumps({"spans": len(made), "seconds": seconds, "client_cpu_seconds": cpu}))


main()
