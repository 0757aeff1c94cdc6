// What the dashboard sends to a page, to the letter: the messages of a bed's event stream and the first frame of its
// wave. Types alone; nothing of this file is served to a browser's script.

/** A number that may be unknown. */
export type Maybe<T> = T | null;

/** What `session.json` says of a session, as the bridge repeats it in its first event. */
export interface Session {
  session: string;
  bed: Maybe<string>;
  patient: string;
  mode: "demo" | "live" | "replay" | "score";
  origin: "simulated" | "recorded" | "live";
  created_utc?: string;
  planned_s?: Maybe<number>;
  replay_of?: Maybe<string>;
  excerpt?: Maybe<{ from_s: number; to_s: number }>;
  rounds?: number;
  rate_hz: number;
  labels: string[];
  kinds: ("eeg" | "emg")[];
  mains_hz?: number;
  /** What the traces went through, by kind of channel; a session from before it was told lacks it. */
  filters?: Record<"eeg" | "emg", Passband>;
  resampled_from_hz?: Maybe<number>;
  /** Of the wrong patient: nobody's result. */
  entered_in_error?: boolean;
  bundles: { eeg_emg: Maybe<BundleRef>; fmri: Maybe<BundleRef>; fusion: Maybe<BundleRef> };
}

/** What a filter lets through, and its group delay. */
export interface Passband {
  low_hz: number;
  high_hz: number;
  notch_hz: number[];
  delay_ms: number;
  delay_at_hz: number;
}

export interface BundleRef {
  name: string;
  version: string;
  sha256: string;
  origin: "synthetic" | "clinical";
}

export interface Source {
  state: string;
  cause?: Maybe<string>;
}

export interface Segment {
  segment: number;
  first_sample: number;
  reason: string;
}

export interface Marker {
  text: string;
  phase: Maybe<string>;
  sample: number;
  /** Of a mark that a person made. */
  author?: string;
}

/** A window as it was published, before its score. */
export interface WindowMade {
  index: number;
  segment: number;
  first_sample: number;
  n_samples: number;
  sqi: number;
  weight: number;
  channel_quality: Record<string, number>;
  faults: Record<string, string[]>;
  flags: string[];
  phases: [string, number, number][];
}

/** The one result of a window. */
export interface Result {
  index: number;
  segment: number;
  first_sample: number;
  state: "scored" | "not_scored" | "dead_lettered";
  reason: Maybe<string>;
  logit: Maybe<number>;
  sqi: number;
  weight: number;
  engine: Maybe<Engine>;
}

export interface Engine {
  backend: string;
  device: string;
  precision: string;
  degraded: boolean;
  version?: string;
}

export type OutcomeState = "INVALID" | "COLLECTING" | "ABSTAINED" | "PARTIAL" | "PROVISIONAL" | "READY";
export type ModalityStatus = "absent" | "collecting" | "ok" | "abstained" | "refused";

export interface Part {
  status: ModalityStatus;
  windows?: number;
  slices?: Maybe<number>;
  weight?: number;
  logit: Maybe<number>;
  probability: Maybe<number>;
  scanned_on?: Maybe<string>;
  scan_sha256?: Maybe<string>;
}

export interface Outcome {
  state: OutcomeState;
  probability: Maybe<number>;
  interval: Maybe<[number, number]>;
  provisional: boolean;
  modalities: string[];
  missing: { modality: string; reason: string }[];
  reasons: string[];
  parts: { eeg_emg: Part; fmri: Part };
  fma?: Maybe<{ value: number; interval: [number, number] }>;
  fusion?: Maybe<Weighing>;
  similarity?: Maybe<Similarity>;
}

/** How far a session lies from the patients that its model learned from; the percentile is of those that lie nearer. */
export interface Similarity {
  modality: string;
  distance: number;
  percentile: number;
  limit: number;
  unlike: boolean;
}

/** What weighed both modalities; intervals over resampled patients, null where no patient had a say. */
export interface Weighing {
  method: "equal" | "logit_stack" | "mean_prob";
  untrained: boolean;
  weights: { eeg_emg: Weight; fmri: Weight };
}

export interface Weight {
  value: number;
  interval: Maybe<[number, number]>;
}

export interface WindowCounts {
  made: number;
  published: number;
  scored: number;
  not_scored: number;
  dead_lettered: number;
  unrecorded: number;
}

export interface Ledger {
  received: number;
  declared_lost: number;
  bridged: number;
  in_windows: number;
  discarded: Record<string, number>;
  pending: number;
  rejected: Record<string, number>;
  clock_resets: number;
  balanced: boolean;
}

export interface Notice {
  level: string;
  text: string;
  remedy?: string;
}

/** What somebody wrote down; text, whatever it looks like. */
export interface Note {
  text: string;
  author: string;
  sample: number;
  utc?: string;
}

export interface End {
  reason: string;
  ended_utc: string;
  ledger: Ledger;
  windows: WindowCounts;
}

/** What the bridge says of itself once a second. */
export interface BridgeInfo {
  state: string;
  cause?: Maybe<string>;
  next_sample?: number;
  quality?: Record<string, number>;
  faults?: Record<string, string[]>;
  phase?: Maybe<string>;
  trial?: Maybe<number>;
  ledger?: Ledger;
  recorded?: boolean;
  published?: number;
  results?: number;
  /** From the last sample of the newest scored window to its score. */
  latency_s?: Maybe<number>;
  /** Of each stream of samples. */
  timing?: Timing[];
  /** Channels that hum at the mains which the session does not filter. */
  other_mains?: Maybe<{ hz: number; channels: string[] }>;
  disk_free_bytes?: Maybe<number>;
}

/** How the time of a stream runs; null where it is not known yet. */
export interface Timing {
  rate_hz: Maybe<number>;
  rate_ppm: Maybe<number>;
  allowance: Maybe<number>;
  offset_s: Maybe<number>;
  uncertainty_s: Maybe<number>;
  measured_s_ago: Maybe<number>;
  drift_ppm: Maybe<number>;
}

/** Once a second: how long ago each was heard, on the dashboard's own clock; for a bed without a session too. */
export interface Contact {
  session: Maybe<string>;
  closed_utc: Maybe<string>;
  roles: Record<"bridge" | "scorer" | "aggregator", RoleContact>;
  redis: { age_s: number };
  progress: { age_s: number; cause: string };
  bridge: Maybe<BridgeInfo>;
  /** How far the wave has come that this server hands on, and how old that is; a bed that nobody watches has none. */
  wave?: Maybe<{ end: number; age_s: number }>;
  /** When this was said, by the clock of this server: see `/api/v1/clock`. */
  clock?: { server: string; at_s: number };
}

export interface RoleContact {
  age_s: number;
  heard: boolean;
}

/** Everything so far; a page forgets what it had. Sent when a page begins, and when its bed begins a session. */
export interface Snapshot {
  bed: string;
  session: Maybe<string>;
  entries: Entry[];
}

export type Entry =
  | { type: "session"; data: Session }
  | { type: "source"; data: Source }
  | { type: "segment"; data: Segment }
  | { type: "marker"; data: Marker }
  | { type: "window"; data: WindowMade }
  | { type: "result"; data: Result }
  | { type: "outcome"; data: Outcome }
  | { type: "fmri"; data: Record<string, unknown> }
  | { type: "notice"; data: Notice }
  | { type: "note"; data: Note }
  | { type: "end"; data: End };

export type Message =
  | Entry
  | { type: "snapshot"; data: Snapshot }
  | { type: "contact"; data: Contact }
  | { type: "resync"; data: Resync };

/** What this viewer lacks cannot be had any more: a snapshot follows. */
export interface Resync {
  /** The place that it came back from. */
  after: string;
}

/** The text frame that opens a wave, and comes again when the bed begins another session. */
export interface WaveHello {
  session: Maybe<string>;
}

/** A bed for the ward, in the text of its socket and in GET /api/v1/beds; ages are as they were when it was sent. */
export interface BedCard {
  bed: string;
  session: string;
  patient: string;
  mode: Session["mode"];
  origin: Maybe<Session["origin"]>;
  /** State of the link to the source. */
  source: Maybe<string>;
  recorded: boolean;
  /** Whether the session is bound to a model. */
  scored: boolean;
  state: Maybe<string>;
  probability: Maybe<number>;
  interval: Maybe<[number, number]>;
  provisional: boolean;
  modalities: string[];
  synthetic: boolean;
  labels: string[];
  kinds: ("eeg" | "emg")[];
  /** Share of good cells of the last second, in the order of the labels. */
  quality: Maybe<number>[];
  /** Labels of the channels whose traces are sent. */
  drawn: string[];
  /** Names the session in the binary messages. */
  wave_key: number;
  /** First sample of the newest segment. */
  segment_first: number;
  phase: Maybe<string>;
  trial: Maybe<number>;
  windows: number;
  /** One past the newest sample that came to the server, and how old that is. */
  wave: Maybe<{ end: number; age_s: number }>;
  contact_age_s: number;
  bridge_age_s: number;
  progress_age_s: number;
  cause: string;
  ended_utc: Maybe<string>;
}

/** The text of the ward's socket: all beds, once a second. */
export interface WardMessage {
  type: "beds";
  /** The server's clock when it was sent. */
  clock: { server: string; at_s: number };
  beds: BedCard[];
}

/** A scored scan: its slices from below, and the addresses of their sheets, relative to its own. */
export interface Scan {
  scan_sha256: string;
  scanned_on: Maybe<string>;
  flags: string[];
  slices: { slice: number; level_mm: number; rank: number; in_brain: number }[];
  sheets: Maybe<{ columns: number; underlay: string; focus: string }>;
  attention: { sanity: Maybe<{ correlation: number; n_slices: number }>; cell_mm: Maybe<number>; in_brain: Maybe<number> };
}

/** A page of the list of patients: GET /api/v1/patients. */
export interface PatientPage {
  patients: PatientRow[];
  page: number;
  pages: number;
  total: number;
  /** Folders of sessions that say nobody's pseudonym. */
  unreadable: number;
}

export interface PatientRow {
  patient: string;
  n_sessions: number;
  /** The newest ones. */
  sessions: SessionRow[];
}

export interface SessionRow {
  session: string;
  created_utc: Maybe<string>;
  bed: Maybe<string>;
  mode: Maybe<string>;
  origin: Maybe<string>;
  ended: boolean;
  in_error: boolean;
  unreadable: boolean;
  scored: boolean;
  state: Maybe<string>;
  probability: Maybe<number>;
  interval: Maybe<[number, number]>;
  modalities: string[];
  synthetic: boolean;
  /** Which bundle is not at hand, in words; "" if all are. */
  lacking: string;
}

/** Which stream of the network is meant. */
export interface StreamIdentity {
  name: string;
  source_id: string;
  hostname: string;
  channel_count: number;
}

export interface NetworkStream extends StreamIdentity {
  rate_hz: number;
  origin?: Maybe<string>;
  fits: string[];
  refused: Maybe<string>;
}

/** What answers on the network now, who has it, and what a session begins with. */
export interface Network {
  streams: NetworkStream[];
  pairs: { montage: string; signal: StreamIdentity; partner: StreamIdentity; channels: string[] }[];
  taken: Record<string, { session: string; bed: Maybe<string> }>;
  usual: { montage: string; minutes: number; mains_hz: number };
}

/** How the cues stand: what a command to them gives. */
export interface Cues {
  state: "ready" | "running" | "pausing" | "paused" | "ended";
  trial?: Maybe<number>;
  n_trials?: number;
  heard: boolean;
  url: string;
}
