// What the API answers (src/console/web), as far as the page uses it.

export type Role = "curator" | "auditor" | "admin";
export interface Me { name: string; roles: Role[]; version: string; home: string }

export interface Agreement { calls: number; kept: number; agreed: number; rate: number; lower: number; upper: number; coverage: number }
export type Verdict = "convert" | "needs_more_data" | "keep_llm";
export interface Judged { judge: string; calls: number; equal: number; slm_better: number; llm_better: number; inconsistent: number }
export interface Outcomes { calls: number; llm_right: number; only_llm_right: number; difference: number; difference_lower: number; margin: number; holds: boolean }
export interface CacheBaseline { calls: number; hits: number; agreed: number; share: number; rate: number; share_of_model: number }
export interface CheaperBaseline { model: string; calls: number; agreed: number; rate: number; lower: number; upper: number; usd_per_call: number; llm_usd_per_call: number }
export interface Evaluation {
  task: string; judged: Judged | null; similarity: { calls: number; chrf: number; rouge_l: number } | null; cache: CacheBaseline | null;
  cheaper: CheaperBaseline | null; outcomes: Outcomes | null; pool: string[];
  artifact: string; made_at: number; alpha: number; delta: number; threshold: number; calibration: Agreement; test: Agreement;
  verdict: Verdict; calls_needed: number; reason: string; slm_latency_ms_median: number; llm_latency_ms_median: number;
}
export interface Savings {
  llm_calls: number; slm_calls: number; share_of_calls: number; share_of_tokens: number; share_of_cost: number;
  llm_cost_usd: number; avoided_usd: number; machine_usd: number; saved_usd: number; unpriced_calls: number;
}
export interface Latency { calls: number; median_ms: number; p95_ms: number }
export interface TaskReport {
  task: string; name: string; served_by: "slm" | "llm"; model: string; reason: string; verdict: Verdict | null;
  traffic: { calls: number; by_slm: number; fallbacks: number; llm_latency: Latency; slm_latency: Latency }; savings: Savings;
}
// What small models cost and save at several loads of the machine; of programs that balance it.
export interface Balance {
  verdict: string; at: { utilisation: number; machine_usd: number; net_usd: number; slm_usd_per_successful_call: number }[];
  audits: number; audit_usd: number; training_seconds: number; training_usd: number; payback_days: number | null;
  llm_usd_per_successful_call: number; cheaper_model: string; cheaper_usd_per_call: number | null;
}
export interface Cache { calls: number; hits: number; share_of_calls: number; share_of_tokens: number; share_of_cost: number }
export interface Report {
  balance?: Balance; cache?: Cache | null;
  calls: number; first_call: string | null; last_call: string | null; all: Savings; since_promotion: Savings; promoted_at: string | null;
  tasks: TaskReport[]; calls_without_usage: number; unpriced_models: Record<string, number>; machine_usd_per_hour: number;
}
export interface Bucket { t: number; llm: number; slm: number; failed: number; prompt_tokens: number; completion_tokens: number; cost_usd: number; saved_usd: number }
export interface ModelTraffic { server: "llm" | "slm"; model: string; calls: number; tokens: number; cost_usd: number }
export interface Series {
  width_s: number; calls: number; slm_calls: number; failed: number; prompt_tokens: number; completion_tokens: number;
  cost_usd: number; buckets: Bucket[]; models: ModelTraffic[];
}
export interface Overview {
  series: Series | null; series_problem?: string; report: Report | null; report_problem?: string; warnings?: string[];
  log?: { calls: number; bytes: number; segments: number };
  status: { next: string[]; dataset: string | null; tasks: unknown[]; policy_version: number } | null;
}

export interface Policy { task: string; name: string; mode: string; kind: string; artifact: string; threshold: number; alpha: number; delta: number; canary_share: number; [more: string]: unknown }
export interface Task {
  id: string; name: string; template_id: string; template_text: string; separable: boolean; answer_form: string; answer_set: string[];
  tool_names: string[]; slots: { type: string; distinct: number; bytes_median: number; bytes_max: number }[];
  statistics: {
    calls: number; sessions: number; prompt_tokens: number; completion_tokens: number; share_of_calls: number; share_of_tokens: number;
    cost_usd: number; share_of_cost: number; answer_entropy_bits: number; distinct_answers: number; latency_ms_median: number;
    latency_ms_p95: number; slot_bytes_p99: number; answer_bytes_p99: number;
  };
  replaceability: { estimate: number; reason: string };
  map: { x: number; y: number; radius: number; calls: { call: string; x: number; y: number }[] };
}
export interface ListedTask extends Task { policy: Policy | null; evaluation: Evaluation | null; models: number; report: TaskReport | null }
export interface CurvePoint { step?: number; seconds?: number; train_loss?: number; validation_loss?: number; validation_exact?: number; [more: string]: unknown }
export interface Artifact {
  id: string; task: string; task_name: string; kind: string; made_at: number; dataset: string; template_hash: string;
  config: Record<string, unknown> | null; metrics: Record<string, unknown> | null; curve: CurvePoint[]; bytes: number; live?: boolean; evaluation?: Evaluation | null;
}
export interface TaskCard { modes: string[]; task: Task; artifacts: Artifact[]; evaluations: Evaluation[]; policy: Policy | null; report: TaskReport | null }
export interface Turn {
  id: string; task: string; stage: string; begun_at: number; changed_at: number; trigger: string; branch: string; candidate: string;
  champion: string; challenger: string; resumed: number; outcome: string; reason: string;
}
export interface Loop {
  daemon: { state: "waiting" | "working" | "blocked"; why: string; since: string; interval_s: number;
    last: { why: string; begun: string; ended: string; problem?: string; refinements?: Turn[]; idle?: { name: string; new_calls?: number; reason?: string }[] } | null } | null;
  turns: Turn[];
}
export interface Candidate { kind: string; name: string; eligible: boolean; reasons: string[]; score: number; memory_bytes: number }
export interface Example { call_id: string; session: string; slots: string[]; answer: string }

export interface Disagreements {
  artifact: string; threshold: number; calls: number; kept: number; agreed: number;
  curve: { threshold: number; coverage: number; agreement: number }[]; confusion: { teacher: string; student: string; calls: number }[];
  disagreements: { slots: string[]; teacher: string; student: string; confidence: number; kept: boolean }[];
}

export interface Decision { call: string; at: string; task: string; server: "llm" | "slm"; reason: string; confidence: number; latency_ms: number }
// What the gateway saw of a task since its mode was decided, and what is left of the decision.
export interface Route {
  task: string; name: string; decided: string; mode: string; why: string; since: string | null; model: string; threshold: number;
  canary_share: number; audit_share: number; watch: Watched | null;
}
export interface Routing {
  modes: string[]; routes: Route[]; demotions: Record<string, unknown>[];
  version: number; tasks: Policy[]; history: { version: number; made_at?: string; reason?: string; problem?: string }[];
  decisions: Decision[]; reasons: Record<string, Record<string, number>>; known: { tasks: ListedTask[] } | null;
}

export interface Call {
  id: string; session: string; parent: string; step: number; source: string; started: string; api: string; upstream: string;
  requested_model: string; served_model: string; route: { server: "llm" | "slm"; task: string; artifact: string; reason: string; confidence: number };
  origin: { tenant: string; user: string; key: string; address: string }; human_facing: boolean; finish_reason: string;
  usage: { prompt_tokens: number; completion_tokens: number; cached_prompt_tokens: number; estimated: boolean };
  status: string; http_status: number; error: string; retries: number; cost_usd?: number; reward?: number; latency_ms: number;
  request_bytes: number; response_bytes: number; request?: unknown; response?: unknown;
}
export interface Calls { calls: Call[]; more: boolean; searched: number; recorded: number }

export interface RoleKey { name: string; fingerprint: string; public_here: boolean; secret_here: boolean; passphrase: boolean; former: string[] }
export interface VirtualKey {
  name: string; hint: string; tenant?: string; models?: string[]; requests_per_minute?: number; tokens_per_minute?: number; usd_per_day?: number;
  usd_per_month?: number; budget_usd?: number; created_at?: string; expires_at?: string; revoked_at?: string; human_facing?: boolean;
  spent: { usd: number; usd_today: number; requests: number; tokens: number };
}
export interface RoleToken { name: string; role: Role; hint: string; created_at?: string; expires_at?: string; revoked_at?: string }
export interface AuditEntry { line: number; at: string; user: string; role: string; act: string; what: string; detail?: string; calls?: number }

export interface LearningPoint { examples: number; asked: number; agreed: number }
export interface Compared { calls: number; kept: number; agreed: number }
export interface Watched { seen: number; matched: number; asked: number; accepted: number; shadow: Compared; audit: Compared; monitor: { alpha?: number; alarm?: boolean } | null }
