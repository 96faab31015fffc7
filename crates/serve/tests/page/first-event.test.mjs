import assert from 'node:assert/strict';
import { test } from 'node:test';

import { byCurl, byOtlp } from '../../page/parts/first-event.js';

const here = new URL('http://127.0.0.1:8090/');
const doors = { dashboard: '127.0.0.1:8090', otlp_http: '127.0.0.1:4400', otlp_grpc: '127.0.0.1:4401' };

test('OTLP goes to the door that this server has', () => {
  const check = (at, listeners, endpoint, protocol) => {
    const text = byOtlp(at, listeners, false);
    const expected = `export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}`;
    assert.equal(text, expected);
  };
  check(here, doors, 'http://127.0.0.1:4400', 'http/protobuf');
  check(here, { ...doors, otlp_http: null }, 'http://127.0.0.1:4401', 'grpc');
  // As whoever looks reaches it, not as it listens.
  check(new URL('https://box.lan:8090/'), { ...doors, otlp_http: '0.0.0.0:4318' }, 'https://box.lan:4318', 'http/protobuf');
  check(new URL('http://[::1]:8090/'), { ...doors, otlp_http: '[::]:4318' }, 'http://[::1]:4318', 'http/protobuf');
  // Not told: where it is unless told otherwise.
  check(here, null, 'http://127.0.0.1:4318', 'http/protobuf');
  assert.equal(byOtlp(here, { ...doors, otlp_http: null, otlp_grpc: null }, false), null);
});

test('what asks for a token is sent one', () => {
  assert.match(byOtlp(here, doors, true) ?? '', /\nexport OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer%20TOKEN'$/);
  assert.match(byCurl('http://x/api/v1/events', true), /\n {2}-H 'Authorization: Bearer TOKEN' \\\n/);
  assert.ok(!byCurl('http://x/api/v1/events', false).includes('TOKEN'));
});

test('the event of the command is one', () => {
  const body = /-d '(.*)'$/.exec(byCurl('http://x/api/v1/events', false))?.[1] ?? '';
  assert.equal(JSON.parse(body).event_type, 'tool_call');
});
