// How a first event is sent to this server, as a shell takes it. Pure.

/** Where OTLP over HTTP is unless told otherwise. */
const USUAL = { otlp_http: ':4318' };

/**
 * @param {string} events the address that takes events
 * @param {boolean} guarded whether a token is asked for
 */
export function byCurl(events, guarded) {
  const token = guarded ? " \\\n  -H 'Authorization: Bearer TOKEN'" : '';
  const event = '{"event_type":"tool_call","tool":"search","duration_ms":12.5,"success":true}';
  return `curl ${events} \\\n  -H 'Content-Type: application/json'${token} \\\n  -d '${event}'`;
}

/**
 * Settings of SDKs of OpenTelemetry.
 * @param {{protocol: string, hostname: string}} here the page's own address
 * @param {Record<string, string | null> | null} listeners where the server's doors are, by name; null: not known
 * @param {boolean} guarded whether a token is asked for
 * @returns {string | null} null: there is no door for it
 */
export function byOtlp({ protocol, hostname }, listeners, guarded) {
  const { otlp_http: http, otlp_grpc: grpc } = /** @type {Record<string, string | null>} */ (listeners ?? USUAL);
  const [door, speaks] = http ? [http, 'http/protobuf'] : [grpc, 'grpc'];
  if (!door) return null;
  const port = door.slice(door.lastIndexOf(':') + 1);
  const lines = [
    `export OTEL_EXPORTER_OTLP_ENDPOINT=${protocol}//${hostname}:${port}`,
    `export OTEL_EXPORTER_OTLP_PROTOCOL=${speaks}`,
  ];
  if (guarded) lines.push("export OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer%20TOKEN'");
  return lines.join('\n');
}
