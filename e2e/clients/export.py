"""Exporters of OpenTelemetry's SDK, as an agent would set them up."""

import grpc
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

# Longer than any check: only flushes and ends export.
NEVER_MS = 600_000


def exporter(signal, protocol, address, gzip):
    """For `traces`, `metrics` or `logs`, over `grpc` or `http`."""
    if protocol == "grpc":
        kind = {"traces": GrpcSpans, "metrics": GrpcMetrics, "logs": GrpcLogs}[signal]
        compression = grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression
        return kind(endpoint=address, insecure=True, compression=compression, timeout=20)
    kind = {"traces": HttpSpans, "metrics": HttpMetrics, "logs": HttpLogs}[signal]
    compression = Compression.Gzip if gzip else Compression.NoCompression
    return kind(endpoint=f"http://{address}/v1/{signal}", compression=compression, timeout=20)


class Providers:
    """All three signals of one program, to one place."""

    def __init__(self, name, protocol, address, gzip):
        resource = Resource.create({"service.name": name})

        def to(signal):
            return exporter(signal, protocol, address, gzip)

        self.tracer = TracerProvider(resource=resource)
        spans = BatchSpanProcessor(to("traces"), schedule_delay_millis=NEVER_MS)
        self.tracer.add_span_processor(spans)
        self.logger = LoggerProvider(resource=resource)
        logs = BatchLogRecordProcessor(to("logs"), schedule_delay_millis=NEVER_MS)
        self.logger.add_log_record_processor(logs)
        reader = PeriodicExportingMetricReader(to("metrics"), export_interval_millis=NEVER_MS)
        self.meter = MeterProvider(resource=resource, metric_readers=[reader])

    def flush(self):
        for provider in (self.tracer, self.logger, self.meter):
            assert provider.force_flush(20_000), "an export failed"

    def end(self):
        """Sends running totals once more, as SDKs do at their end."""
        for provider in (self.tracer, self.logger, self.meter):
            provider.shutdown()
