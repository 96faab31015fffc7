// Answers of the API, as far as views draw them. Where a figure may be missing it is null.

export interface About {
  from: string | null;
  to: string | null;
  events: number;
  method: 'exact' | 'sketch' | string;
}
export interface Note {
  kind: string;
  text: string;
  question: string | null;
}
export interface Outcomes {
  succeeded: number;
  failed: number;
  unknown: number;
}
export interface Spread {
  count: number;
  sum: number;
  mean: number;
  min: number;
  max: number;
  p50: number;
  p95: number;
  p99: number;
}
export interface Tally {
  name: string | null;
  count: number;
}

export interface Bucket {
  from: string;
  count: number;
  failed: number;
  unknown: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  mean: number | null;
  sum: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cost_usd: number | null;
  hits: number | null;
  misses: number | null;
}
export interface Timeline {
  kind: string | null;
  name: string | null;
  source: string | null;
  measure: string | null;
  bucket_seconds: number;
  buckets: Bucket[];
  later: number;
}

export interface Tool {
  name: string;
  calls: Outcomes;
  success_ratio: number | null;
  duration_ms: Spread | null;
  errors: Tally[];
  first: string | null;
  last: string | null;
}
export interface Model {
  provider: string | null;
  model: string | null;
  calls: Outcomes;
  success_ratio: number | null;
  tokens: Tokens;
  cost_usd: number | null;
  priced_calls: number;
  duration_ms: Spread | null;
}
export interface Tokens {
  input: number;
  output: number;
  cache_read: number;
  cache_write: number;
  reasoning: number;
}
export interface Cache {
  name: string | null;
  hits: number;
  misses: number;
  hit_ratio: number | null;
  evictions: number;
  size_rejections: number;
  hit_ms: Spread | null;
  miss_ms: Spread | null;
}
export interface Between {
  at_least: number;
  at_most: number;
}
export interface Queries {
  total: number;
  outcomes: Outcomes;
  success_ratio: number | null;
  abandoned: number;
  duration_ms: Spread | null;
  limits: { slow_ms: number; very_slow_ms: number; high_complexity: number };
  slow: Between;
  very_slow: Between;
  agents: QueryAgent[];
  days: QueryDay[];
  errors: Tally[];
  entities: Tally[];
  complexity: { score: Spread | null; high: Between } | null;
  selections: Tally[];
  selection_reasons: Tally[];
}
export interface QueryAgent {
  agent: string | null;
  count: number;
  share: number;
  outcomes: Outcomes;
  success_ratio: number | null;
  duration_ms: Spread | null;
  mean_tool_calls: number | null;
  mean_graphql_queries: number | null;
  mean_complexity: number | null;
}
export interface QueryDay {
  date: string;
  total: number;
  outcomes: Outcomes;
  success_ratio: number | null;
  duration_ms: Spread | null;
}
export interface SessionRow {
  session: string;
  agent: string | null;
  first: string;
  last: string;
  events: number;
  tool_calls: number;
  llm_calls: number;
  failed: number;
  tokens: number | null;
  cost_usd: number | null;
}
export interface Check {
  name: string;
  value: number;
  unit: string;
  target: number;
  status: string;
}
export interface Health {
  verdict: string;
  checks: Check[];
  trend: string | null;
  tips: string[];
  storage: { latest: string | null };
  notes: Note[];
}
export interface Change {
  event_type: string;
  name: string;
  figure: string;
  finding: string;
  since: string;
  before: number;
  after: number;
  factor: number | null;
  worse: boolean;
}
