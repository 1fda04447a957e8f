// What the server says, written from llamaswap_py/server/shapes by `python -m tests.page.types`. Change it there.

export type State = "stopped" | "starting" | "ready" | "stopping" | "failed" | "gave-up" | "disabled" | "leaked" | "remote";

export interface Acknowledgement {
  by: string;
  note: string;
  at: string | null;
}

/** `value` is the last, `worst` the worst, `told` whether receivers were. */
export interface Alert {
  id: string;
  rule: string;
  state: "firing" | "resolved";
  level: "warning" | "critical";
  measure: string;
  unit: string;
  value: number;
  worst: number;
  limit: number;
  detail: string;
  began: string | null;
  ended: string | null;
  why: string;
  told: boolean;
  acknowledged: Acknowledgement | null;
}

export interface AlertSilence {
  until: string | null;
  note: string;
}

/** `value` is null where nothing was measured. `duration` in seconds. */
export interface AlertRule {
  rule: string;
  measure: string;
  about: string;
  unit: string;
  warning: number;
  critical: number;
  duration: number;
  state: "calm" | "rising" | "warning" | "critical" | "unknown" | "off";
  value: number | null;
  detail: string;
  silence: AlertSilence | null;
}

/** Counted from the program's start. `next_try` in seconds. */
export interface AlertReceiver {
  name: string;
  kind: "webhook" | "slack" | "ntfy" | "email";
  least: "warning" | "critical";
  delivered: number;
  waiting: number;
  given_up: number;
  last: string | null;
  trouble: string;
  next_try: number | null;
}

/** The event `alerts`: all that fire, and every rule. */
export interface AlertsNow {
  enabled: boolean;
  every: number;
  window: number;
  firing: Alert[];
  rules: AlertRule[];
}

/** `GET /api/alerts`. */
export interface Alerts {
  enabled: boolean;
  every: number;
  window: number;
  firing: Alert[];
  rules: AlertRule[];
  past: Alert[];
  receivers: AlertReceiver[];
}

/** `done` of `of` combinations of the model that `doing` names; `session` is the id of what is kept of it. */
export interface BenchmarkOrder {
  id: string;
  models: string[];
  state: "waiting" | "running" | "done" | "failed" | "cancelled";
  doing: string;
  done: number;
  of: number;
  session: string;
  error: string;
}

export interface BenchmarkModel {
  name: string;
  about: string;
  speed: number | null;
}

export interface BenchmarkSummary {
  id: string;
  began: number;
  machine: string;
  models: BenchmarkModel[];
}

/** `GET /api/benchmarks`. */
export interface Benchmarks {
  orders: BenchmarkOrder[];
  kept: BenchmarkSummary[];
}

export interface BenchmarkPlan {
  prompts: number[];
  callers: number[];
  tokens: number;
  repeats: number;
  loads: boolean;
}

/** One length of prompt and one number of callers; docs/benchmarks.md says what each figure is. */
export interface BenchmarkCell {
  wanted: number;
  callers: number;
  answers: number;
  prompt: number;
  output: number;
  first: number;
  first_95: number;
  prompt_speed: number;
  prompt_by_engine: boolean;
  speed: number;
  engine_speed: number | null;
  together: number;
  gap: number;
  gap_95: number;
  gap_most: number;
  failed: number;
  why: string;
}

export interface BenchmarkResult {
  name: string;
  place: string;
  about: string;
  size: number;
  cold: number | null;
  warm: number | null;
  memory: number | null;
  gpu_memory: number | null;
  cells: BenchmarkCell[];
  trouble: string;
}

/** `GET /api/benchmarks/{id}` of one that is kept. */
export interface BenchmarkSession {
  id: string;
  began: number;
  machine: string;
  plan: BenchmarkPlan;
  results: BenchmarkResult[];
}

export interface Mistake {
  file: string;
  line: number;
  column: number;
  key: string;
  message: string;
  remedy: string;
}

/** `POST /api/config/check`, and the beginning of `diff`. */
export interface Verdict {
  accepted: boolean;
  mistakes: Mistake[];
  warnings: Mistake[];
  disabled: Record<string, Mistake[]>;
}

/** `POST /api/config/diff`; what would change is told where the text is accepted. */
export interface Diff {
  accepted: boolean;
  mistakes: Mistake[];
  warnings: Mistake[];
  disabled: Record<string, Mistake[]>;
  added?: string[];
  removed?: string[];
  restarted?: Record<string, string[]>;
  retuned?: Record<string, string[]>;
  settings?: string[];
}

/** One of the files; `tag` changes with every byte of it, `changed` is in unix seconds. */
export interface ConfigFile {
  file: string;
  name: string;
  size: number;
  tag: string;
  changed: number;
  writable: boolean;
}

/** `GET /api/config/files`. `folder`: new files may be made there; `create`: the one that may be made. */
export interface ConfigFiles {
  files: ConfigFile[];
  folder: string | null;
  create: string | null;
}

/** `GET /api/config/text`. */
export interface ConfigText {
  file: string;
  text: string;
  tag: string;
  exists: boolean;
  changed: number | null;
  writable: boolean;
}

export interface Reloaded {
  state: "loaded" | "unchanged" | "refused" | "failed" | "underway";
  mistakes: string[];
}

/** `PUT /api/config/text`, and a version taken again. */
export interface Saved {
  accepted: boolean;
  mistakes: Mistake[];
  warnings: Mistake[];
  disabled: Record<string, Mistake[]>;
  added?: string[];
  removed?: string[];
  restarted?: Record<string, string[]>;
  retuned?: Record<string, string[]>;
  settings?: string[];
  file: string;
  tag: string;
  atomic: boolean;
  reload: Reloaded;
}

export interface Changes {
  added: string[];
  removed: string[];
  restarted: Record<string, string[]>;
  retuned: Record<string, string[]>;
  settings: string[];
}

/** An earlier text of a file; `restored` is the version that it was taken from. */
export interface ConfigVersion {
  id: string;
  file: string;
  name: string;
  at: number;
  by: "start" | "edit" | "page" | "restore";
  tag: string;
  size: number;
  changes: Changes | null;
  restored: string;
}

/** `GET /api/config/history/{id}`. */
export interface ConfigVersionText {
  id: string;
  file: string;
  name: string;
  at: number;
  by: "start" | "edit" | "page" | "restore";
  tag: string;
  size: number;
  changes: Changes | null;
  restored: string;
  text: string;
}

/** `GET /api/config/history`, newest first. */
export interface ConfigHistory {
  versions: ConfigVersion[];
}

/** A model file that could be written into the configuration; `keys` as they would be written. */
export interface ConfigCandidate {
  id: string;
  file: string;
  name: string;
  size: number;
  architecture: string;
  quantisation: string;
  purpose: string;
  context: number;
  trained_context: number;
  served: string | null;
  keys: Record<string, unknown>;
}

export interface ConfigLeftOut {
  file: string;
  why: string;
  later: boolean;
}

/** `GET /api/config/candidates`. */
export interface ConfigCandidates {
  models: ConfigCandidate[];
  left_out: ConfigLeftOut[];
}

/** `POST /api/config/add`: the text with one more model, and where it stands in it. */
export interface ConfigAdded {
  accepted: boolean;
  mistakes: Mistake[];
  warnings: Mistake[];
  disabled: Record<string, Mistake[]>;
  added?: string[];
  removed?: string[];
  restarted?: Record<string, string[]>;
  retuned?: Record<string, string[]>;
  settings?: string[];
  file: string;
  text: string;
  line: number;
  count: number;
}

export interface ConfigNews {
  state: "loaded" | "refused";
  mistakes: string[];
}

export interface Profile {
  id: string;
  description: string;
  pins: Record<string, string>;
}

/** `GET /api/profiles`. */
export interface Profiles {
  active: string | null;
  profiles: Profile[];
}

export interface ProfileNews {
  active: string | null;
}

export interface PullFile {
  path: string;
  size: number;
  done: number;
  stage: string;
}

export interface PullError {
  code: string;
  message: string;
  near: string[];
}

export interface Pull {
  id: string;
  repo: string;
  include: string[];
  quant: string;
  revision: string;
  state: "waiting" | "asking" | "loading" | "done" | "failed" | "cancelled";
  folder: string;
  commit: string;
  files: PullFile[];
  total: number;
  done: number;
  speed: number;
  left: number | null;
  notes: string[];
  error: PullError | null;
}

/** `GET /api/pulls`. */
export interface Pulls {
  pulls: Pull[];
}

export interface LogData {
  data: string;
  source: "proxy" | "upstream";
}

/** `/logs/stream/{name}` as events: what was written next. `whole`: all that is kept, anything before it is to be dropped; `lost`: bytes before this text that came faster than they were told. */
export interface LogPiece {
  text: string;
  lost: number;
  whole: boolean;
}

export interface UiActivity {
  session_id: string[];
}

export interface UiConfig {
  activity: UiActivity;
}

/** The server is there. `now`: unix seconds by its clock. */
export interface Beat {
  now: number;
}

export interface ErrorBody {
  message: string;
  type: string;
  param: string | null;
  code: string;
}

/** The answer of a control route that refuses. */
export interface Refused {
  src: string;
  error: ErrorBody;
}

export interface Taken {
  memory_bytes: number;
  cpu_seconds: number;
  processes: number;
}

export interface TakenByModel {
  memory_bytes: number;
  cpu_seconds: number;
  processes: number;
  gpu_memory_bytes: number | null;
}

/** `GET /api/processes`. */
export interface Processes {
  proxy: Taken;
  keeper: Taken;
  models: Record<string, TakenByModel>;
}

/** `cpu`: percent of one core, null until it is known; `memory`: resident bytes. */
export interface Use {
  cpu: number | null;
  memory: number;
  processes: number;
}

/** One card; null is not known. Memory in MiB. `stale`: nobody has said so lately. */
export interface GpuUse {
  index: number;
  name: string;
  utilization_percent: number | null;
  memory_used: number | null;
  memory_total: number | null;
  temperature: number | null;
  power_draw: number | null;
  stale: boolean;
}

/** One look. `at`: unix seconds; `cpu`: percent of all cores. */
export interface Sample {
  at: number;
  cores: number;
  cpu: number | null;
  memory: number;
  memory_total: number;
  proxy: Use;
  keeper: Use;
  models: Record<string, Use>;
  gpus: GpuUse[];
}

/** At the start the last ten minutes, as far as somebody followed; then one by one. */
export interface Machine {
  samples: Sample[];
}

/** `GET /api/version`. */
export interface Version {
  version: string;
  commit: string;
  build_date: string;
}

/** One card at one moment; null is not known. */
export interface GpuStat {
  timestamp: string;
  id: number;
  name: string;
  uuid: string;
  temp_c: number | null;
  vram_temp_c: number | null;
  gpu_util_pct: number | null;
  mem_util_pct: number | null;
  mem_used_mb: number | null;
  mem_total_mb: number | null;
  fan_speed_pct: number | null;
  power_draw_w: number | null;
}

export interface AcceleratorMemory {
  kind: "dedicated" | "unified" | "shared_system" | "unknown";
  capacity_bytes: number | null;
}

export interface Driver {
  name: string;
  version: string | null;
}

/** Of `GET /api/hardware`. */
export interface Accelerator {
  index: number;
  kind: "gpu";
  vendor: string;
  model: string;
  architecture: string | null;
  memory: AcceleratorMemory;
  driver: Driver | null;
  power_limit_watts: number | null;
}

/** How far a load is; null until an earlier load of the same command tells. */
export interface Loading {
  seconds: number;
  percent: number | null;
  left: number | null;
}

/** One caller who waits for a model. `since`: unix seconds; position 0: its model is starting. */
export interface Waiting {
  position: number;
  caller: string;
  since: number;
}

export interface Candidate {
  model: string;
  state: string;
  seated: number;
  waiting: number;
  unused: number;
  pinned: boolean;
}

/** Why one had to go. */
export interface Decision {
  wanted: string;
  caller: string;
  waiting: number;
  waited: number;
  rule: string;
  chosen: string[];
  candidates: Candidate[];
}

export interface Evicted {
  wanted: string;
  caller: string;
  waiting: number;
  waited: number;
  rule: string;
  chosen: string[];
  candidates: Candidate[];
  at: number;
}

/** One model as it stands. Times are unix seconds, sizes are bytes; 0 and "" where nothing is known. */
export interface Standing {
  id: string;
  name: string;
  description: string;
  aliases: string[];
  unlisted: boolean;
  peer: string;
  found: boolean;
  capabilities: Record<string, boolean>;
  state: State;
  since: number | null;
  why: string;
  last_output: string[];
  retry_at: number | null;
  ordered: boolean;
  loading: Loading | null;
  pid: number | null;
  leaked: number[];
  address: string;
  memory: number;
  context: number;
  trained_context: number;
  architecture: string;
  quantisation: string;
  parameters: number;
  size: number;
  speed: number | null;
  ttl: number;
  idle_at: number | null;
  seated: number;
  seats: number | null;
  waiting: Waiting[];
  pinned: boolean;
  evicted: Evicted | null;
  group: string;
  makes_room: string[];
}

/** `whole`: all of them, and no others are there; else those that changed, and those that are gone. */
export interface Standings {
  whole: boolean;
  rows: Standing[];
  gone: string[];
}

export interface Group {
  id: string;
  members: string[];
  swap: boolean;
  exclusive: boolean;
  persistent: boolean;
}

export interface MatrixSet {
  name: string;
  expression: string;
}

/** Who may be up beside whom, as it is written. */
export interface Rules {
  kind: "groups" | "matrix";
  groups: Group[];
  sets: MatrixSet[];
  names: Record<string, string>;
}

/** llama-swap's row. */
export interface ModelStatus {
  id: string;
  name: string;
  description: string;
  state: string;
  unlisted: boolean;
  peerID: string;
  aliases?: string[];
  capabilities?: Record<string, boolean>;
  context_length?: number;
}

export interface LoadNews {
  seconds: number;
  percent: number | null;
  left: number | null;
  model: string;
  run: number;
}

/** A step of a model's life. */
export interface Swap {
  model: string;
  run: number;
  state: string;
  why: string;
  seconds: number;
}

export interface RunningRow {
  model: string;
  state: State;
  cmd: string;
  proxy: string;
  ttl: number;
  name: string;
  description: string;
  pid: number | null;
  seated: number;
  waiting: number;
  pinned?: boolean;
  loading?: Loading;
  why?: string;
  leaked?: number[];
}

export interface Place {
  model: string;
  position: number;
  caller: string;
  waited: number;
}

/** `GET /running`. */
export interface Running {
  running: RunningRow[];
  waiting: Record<string, number>;
  queue?: Place[];
  evicted?: Record<string, Decision>;
}

/** What load, restart, reset, pin and unpin answer. */
export interface Ordered {
  msg: string;
  model?: string;
  state?: string;
  pinned?: boolean;
}

export interface Part {
  score: number | null;
  value: number | null;
  weight: number;
}

export interface Score {
  status: "healthy" | "warning" | "critical" | "unknown";
  timestamp: string;
  score: number | null;
  components: Record<string, Part>;
  alerts: number;
  alert_penalty: number;
}

/** Memory in MiB. */
export interface Gpu {
  index: number;
  name: string;
  vendor: string;
  uuid: string | null;
  temperature: number | null;
  vram_temperature: number | null;
  utilization_percent: number | null;
  memory_used: number | null;
  memory_total: number | null;
  memory_free: number | null;
  memory_percent: number | null;
  power_draw: number | null;
  power_limit: number | null;
  fan_speed: number | null;
  driver: string | null;
  driver_version: string | null;
  asleep: boolean;
  stale: boolean;
  seen: string;
  disbelieved: string[];
  why?: string;
}

/** `GET /api/metrics/gpu`. */
export interface Gpus {
  timestamp: string;
  gpus: Gpu[];
  total_memory_used: number | null;
  total_memory_available: number | null;
  average_temperature: number | null;
  average_utilization: number | null;
  thermal_status: "good" | "warning" | "critical" | "emergency" | "unknown";
  models: Record<string, number | null>;
  driver_version: string | null;
  cuda_version: string | null;
  present: boolean;
  troubles: Record<string, string>;
  reason: string | null;
}

/** The event `glance`; null until it was looked at. */
export interface Glance {
  health: Score | null;
  gpus: Gpus | null;
}

/** `GET /api/progress/{id}`. */
export interface RequestProgress {
  request_id: string;
  id: string | null;
  status: "queued" | "loading" | "processing" | "completed" | "failed" | "dismissed";
  model: string;
  path: string;
  progress: number | null;
  total: number | null;
  queue_position: number | null;
  loading_percent: number | null;
  bytes: number;
  elapsed_ms: number;
  error?: string;
}

export interface ModelAtAGlance {
  name: string;
  id: string;
  state: string;
  family: string | null;
  parameter_size: string | null;
  quantization: string | null;
  context_size: number | null;
  size_bytes: number | null;
  created: string | null;
}

/** `GET /api/metrics/dashboard`. */
export interface Dashboard {
  status: Score;
  requests: RequestProgress[];
  models: ModelAtAGlance[];
  gpu_metrics: Gpus;
}

/** Of APIs. */
export interface Family {
  endpoint: string;
  api: string;
  path: string | null;
  paths: string[];
  total_requests: number;
  successful_requests: number;
  failed_requests: number;
  refused_requests: number;
  average_response_time: number | null;
  success_rate: number | null;
  last_request_time: string | null;
  status: "healthy" | "warning" | "critical" | "unused";
}

/** `GET /api/metrics/apis`. */
export interface Families {
  endpoints: Family[];
  timestamp: string;
  since: string;
  overallHealth: "healthy" | "warning" | "critical" | "unused";
}

export interface Recommendation {
  id: string;
  priority: "high" | "medium" | "low";
  category: "performance" | "stability" | "cost" | "scaling";
  title: string;
  recommendation: string;
  figures: Record<string, unknown>;
  model?: string;
}

export interface SystemAtAGlance {
  requests: number;
  models: number;
  gpus: number;
  memory_used_bytes: number | null;
  memory_total_bytes: number | null;
}

/** `GET /api/metrics/optimization`. */
export interface Optimization {
  timestamp: string;
  since: string;
  score: number;
  recommendations: Recommendation[];
  system: SystemAtAGlance;
}

export interface Settings {
  tensor_split: number | string | null;
  gpu_layers: number | string | null;
  context_size: number | string | null;
  batch_size: number | string | null;
}

/** Of one model. */
export interface ModelSpread {
  model_name: string;
  tensor_split: number | string | null;
  gpu_layers: number | string | null;
  context_size: number | string | null;
  batch_size: number | string | null;
  size_bytes: number | null;
  layers: number | null;
  trained_context: number | null;
  presets: Record<string, Settings>;
}

/** Of one card. */
export interface Share {
  index: number;
  name: string;
  memory_total_bytes: number | null;
  memory_free_bytes: number | null;
  share_percent: number | null;
}

/** `GET /api/dashboard/weight-distribution`. */
export interface Distribution {
  models: ModelSpread[];
  gpus: Share[];
  present: boolean;
  reason: string | null;
  presets: Record<string, string>;
}

/** `GET /api/status`. */
export interface ServerStatus {
  status: "ok" | "starting" | "stopping";
  timestamp: string;
  version: string;
  uptime_seconds: number;
  models: Record<string, number>;
  active_requests: number;
}

export interface Endpoint {
  method: string;
  path: string;
}

/** `GET /api/info`. */
export interface Info {
  name: string;
  version: string;
  description: string;
  apis: Record<string, string[]>;
  endpoints: Endpoint[];
}

/** A request in flight. */
export interface Flight {
  id: string;
  timestamp: string;
  model: string;
  req_path: string;
  method: string;
  req_headers: Record<string, string>;
  remote_ip: string;
  resp_headers: Record<string, string>;
  resp_bytes: number;
  elapsed_ms: number;
  metadata?: Record<string, string>;
}

export interface InflightNews {
  operation: "snapshot" | "upsert" | "remove";
  requests?: Flight[];
  request?: Flight;
  id?: string;
}

/** A request in flight. `began`: unix seconds; `status`: null until its answer has begun. */
export interface Flying {
  id: string;
  began: number;
  timestamp: string;
  model: string;
  req_path: string;
  method: string;
  req_headers: Record<string, string>;
  remote_ip: string;
  status: number | null;
  resp_headers: Record<string, string>;
  resp_bytes: number;
  metadata: Record<string, string>;
}

/** `whole`: all of them; else those that came or whose answer began, the bytes of those that grew, who is gone. */
export interface Flights {
  whole: boolean;
  rows: Flying[];
  grown: Record<string, number>;
  gone: string[];
}

/** -1: not told. */
export interface Tokens {
  cache_tokens: number;
  draft_tokens: number;
  draft_acc_tokens: number;
  input_tokens: number;
  output_tokens: number;
  prompt_per_second: number;
  tokens_per_second: number;
}

export interface Details {
  api?: string;
  caller?: string;
  address?: string;
  session?: string;
  request?: string;
  run?: number;
  bytes?: number;
  phase?: string;
  closed_by?: string;
  code?: string;
  queued_ms: number;
  loading_ms: number;
  first_byte_ms: number;
  mean_gap_ms: number;
  longest_gap_ms: number;
}

/** A request that is over. */
export interface Activity {
  id: number;
  timestamp: string;
  model: string;
  req_path: string;
  resp_content_type: string;
  resp_status_code: number;
  tokens: Tokens;
  duration_ms: number;
  has_capture: boolean;
  error_msg?: string;
  metadata?: Record<string, string>;
  details?: Details;
}

/** `GET /api/metrics/activity`. */
export interface ActivityPage {
  data: Activity[];
  page: number;
  limit: number;
  total: number;
  total_pages: number;
  at_least?: boolean;
}

/** `counts[i]` of them lie between `edges[i]` and `edges[i + 1]`. */
export interface Spread {
  count: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  edges: number[];
  counts: number[];
}

/** Many requests. Speeds are tokens a second; null: there is none to tell of. */
export interface Together {
  requests: number;
  input_tokens: number;
  output_tokens: number;
  cache_tokens: number;
  queued_s: number;
  loading_s: number;
  prompt_speed: Spread | null;
  gen_speed: Spread | null;
  first_byte_ms: Spread | null;
  duration_ms: Spread | null;
}

/** What was waited for. `at`: unix seconds. */
export interface Slot {
  at: number;
  requests: number;
  queued_s: number;
  loading_s: number;
}

/** `GET /api/metrics/spreads`. Slots without requests are left out. */
export interface Spreads {
  total: Together;
  models: Record<string, Together>;
  slot_seconds: number;
  waits: Slot[];
}

export interface Histogram {
  bins: number[];
  min: number;
  max: number;
  binSize: number;
  p50: number;
  p95: number;
  p99: number;
}

/** `GET /api/metrics/stats`. */
export interface Stats {
  total_requests: number;
  total_input_tokens: number;
  total_output_tokens: number;
  total_cache_tokens: number;
  prompt_histogram: Histogram | null;
  gen_histogram: Histogram | null;
}

/** Requests that were written down. `gap`: some before them are missing here; the list has them. */
export interface Finished {
  rows: Activity[];
  gap: boolean;
}

export interface ActivityNews {
  id: number;
}

/** `GET /api/captures/{id}`; bodies in base64. */
export interface Capture {
  id: number;
  req_path: string;
  req_headers: Record<string, string>;
  req_body: string | null;
  resp_headers: Record<string, string>;
  resp_body: string | null;
}

/** By the `type` of an event, what its `data` holds. */
export interface Events {
  logData: LogData;
  modelStatus: ModelStatus[];
  loading: LoadNews;
  uiConfig: UiConfig;
  profileChanged: ProfileNews;
  inflight: InflightNews;
  activity: ActivityNews;
  config: ConfigNews;
  swap: Swap;
  pull: Pull;
  alert: Alert;
  alerts: AlertsNow;
  glance: Glance;
  benchmark: BenchmarkOrder;
  standings: Standings;
  rules: Rules;
  beat: Beat;
  finished: Finished;
  flights: Flights;
  machine: Machine;
}
