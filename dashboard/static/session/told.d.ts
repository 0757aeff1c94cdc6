// What the dashboard says of a recorded session, to the letter. Types alone; nothing of this file is served.

import type { Marker, Maybe, Outcome, Segment, WindowMade } from "../wire";

/** A file of the folder, or a line of it, that could not be read. */
export interface Problem {
  file: string;
  kind: "unreadable" | "torn" | "not_json" | "not_results";
  line?: number;
  n?: number;
}

export interface Note {
  text?: string;
  author?: string;
  utc?: string;
}

/** `GET /api/v1/sessions/{id}` */
export interface Told {
  info: Record<string, any>;
  ledger: Maybe<Record<string, any>>;
  ended: boolean;
  in_error: boolean;
  notes: Note[];
  scans: Record<string, any>[];
  windows: Record<string, number>;
  outcome: Maybe<Outcome>;
  lack: string;
  digest: Maybe<string>;
  problems: Problem[];
  /** Why there are no traces and no measures. */
  no_traces: Maybe<Refusal>;
}

/** `GET /api/v1/sessions/{id}/course`: a column for each fact. */
export interface Course {
  index: number[];
  first_sample: number[];
  segment: number[];
  state: string[];
  weight: number[];
  sqi: number[];
  p: Maybe<number>[];
  outcomes: {
    index: number[];
    state: string[];
    probability: Maybe<number>[];
    interval: Maybe<[number, number]>[];
  };
}

/** One of `GET /api/v1/sessions/{id}/windows` */
export interface Row {
  index: number;
  segment: number;
  first_sample: number;
  state: "scored" | "not_scored" | "dead_lettered";
  reason: Maybe<string>;
  logit: Maybe<number>;
  p: Maybe<number>;
  sqi: number;
  weight: number;
  flags: string[];
  phases: [string, number, number][];
  channel_quality: number[];
  engine: any;
  outcome_at: Maybe<number>;
  outcome: Maybe<Outcome>;
}

export interface Rows {
  total: number;
  first: number;
  windows: Row[];
}

/** The good cells of each second of each channel; the last number of a row is how many there were. */
export interface Quality {
  every: number;
  faults: string[];
  seconds: number[];
  good: number[][];
  bits: number[][];
}

/** `GET /api/v1/sessions/{id}/signal` */
export interface Signal {
  rate_hz: number;
  n_samples: number;
  labels: string[];
  kinds: ("eeg" | "emg")[];
  segments: Segment[];
  markers: Marker[];
  windows: WindowMade[];
  quality: Quality;
  /** Segment, first sample, one past the last. */
  spans: [number, number, number][];
  same_chain: boolean;
  filters: import("../wire").Session["filters"];
}

export interface Measure {
  measure: string;
  site: string;
  phase: string;
  unit: string;
  value: Maybe<number>;
  interval: Maybe<[number, number]>;
  n_trials: number;
  left_out: Record<string, number>;
  missing: string;
}

/** `GET /api/v1/sessions/{id}/measures` */
export interface Measures {
  trials: number;
  moved_side: Maybe<string>;
  rows: Measure[];
}

/** A refusal (problem+json). */
export interface Refusal {
  detail?: string;
  remedy?: string;
}
