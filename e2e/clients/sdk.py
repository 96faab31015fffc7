"""OpenTelemetry's SDK by itself: every signal over every way. Prints what it sent.

usage: sdk.py GRPC_ADDRESS HTTP_ADDRESS
"""

import json
import sys

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.trace import Status, StatusCode

from export import Providers

WAYS = [("grpc", False), ("grpc", True), ("http", False), ("http", True)]


def main():
    addresses = dict(zip(["grpc", "http"], sys.argv[1:], strict=True))
    sent = {"input": 0, "calls": 0, "tools": 0, "agents": 0, "failed": 0, "counted": 0, "logged": 0}
    for number, (protocol, gzip) in enumerate(WAYS, start=1):
        providers = Providers(f"e2e-sdk-{number}", protocol, addresses[protocol], gzip)
        traces(providers, number, sent)
        logs(providers, number, sent)
        metrics(providers, number, sent)
        providers.end()
    print(json.dumps(sent))


def traces(providers, number, sent):
    tracer = providers.tracer.get_tracer("e2e")
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 999_999}
    with tracer.start_as_current_span("invoke_agent", attributes=agent):
        for call in range(1, 4):
            tokens = 1000 * number + call
            attributes = {
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "sdk-model",
                "gen_ai.usage.input_tokens": tokens,
                "gen_ai.input.messages": "SECRET-IN-A-MESSAGE",
            }
            with tracer.start_as_current_span("chat sdk-model", attributes=attributes):
                pass
            sent["input"] += tokens
            sent["calls"] += 1
        tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
        with tracer.start_as_current_span("execute_tool search", attributes=tool) as span:
            span.set_status(Status(StatusCode.ERROR, "SECRET-IN-A-STATUS"))
            span.record_exception(TimeoutError("SECRET-IN-AN-EXCEPTION"))
    sent["agents"] += 1
    sent["tools"] += 1
    sent["failed"] += 1


def logs(providers, number, sent):
    logger = providers.logger.get_logger("e2e")
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "logged-model",
        "gen_ai.usage.input_tokens": number,
    }
    record = LogRecord(
        timestamp=1_763_636_400_000_000_000 + number,
        severity_number=SeverityNumber.INFO,
        body="SECRET-IN-A-BODY",
        attributes=attributes,
        event_name="gen_ai.client.inference.operation.details",
    )
    logger.emit(record)
    sent["logged"] += number


def metrics(providers, number, sent):
    meter = providers.meter.get_meter("e2e")
    counter = meter.create_counter("e2e.things", unit="{thing}")
    level = meter.create_gauge("e2e.level", unit="By")
    lasted = meter.create_histogram("e2e.lasted", unit="s")
    for count in (5 * number, 7 * number):
        counter.add(count, {"type": "input", "user.email": "SECRET@example.org"})
        sent["counted"] += count
        level.set(number)
        lasted.record(0.25 * number)
        # A running total: it comes twice here, and once more at the end.
        providers.flush()


main()
