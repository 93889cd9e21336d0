/** Fields of a company or user: your own `id`, and any others, with their types. */
export interface Fields {
  id: string | number;
  name?: string;
  [field: string]: unknown;
}

/** The company of an event: the API requires its name. */
export interface Company extends Fields {
  name: string;
}

export interface Event {
  company: Company;
  /** Leave it out if no user did it. */
  user?: Fields | null;
  /** About the event itself. */
  data?: Record<string, unknown> | null;
  /** When it happened; now by default. */
  timestamp?: Date | string | null;
  /** Your own id of the event, which is counted once; a new UUID by default. */
  event_id?: string | null;
}

export interface Update {
  timestamp?: Date | string | null;
}

/** An event or update that the API refused for good. `status` is 0 if it was never sent. */
export interface Refusal {
  kind: 'event' | 'user' | 'company';
  body: Record<string, unknown>;
  status: number;
  error: string;
  details: unknown;
  at: string;
}

/** What one process has done since it started; `waitingFor` is why nothing can be sent. */
export interface Statistics {
  recorded: number;
  sent: number;
  refused: number;
  dropped: number;
  notOnDisk: number;
  failedAttempts: number;
  waitingFor: string | null;
}

export interface Options {
  /** The address of Brazebee; by default `BRAZEBEE_URL`. */
  url?: string;
  /** A key with the scope `send`; by default `BRAZEBEE_API_KEY`. */
  apiKey?: string;
  /**
   * Where events wait; by default `BRAZEBEE_SPOOL_DIR`, else a directory of the user for this
   * address and key. Use one for each organization, which survives a deploy.
   */
  spoolDir?: string;
  /** Check the calls and send nothing; by default `BRAZEBEE_DISABLED`. */
  disabled?: boolean;
  /** Is called with each refusal. */
  onRefused?: (refusal: Refusal) => void;
  /** Size at which further events are dropped, with a warning; 100 MB by default. */
  maxSpoolBytes?: number;
  /**
   * When events are flushed to the disk, for a power cut: `interval` (each second), `always`
   * (before a call returns) or `never`. None is lost if the process ends.
   */
  sync?: 'interval' | 'always' | 'never';
  /** Milliseconds for which events are gathered before they are sent; 2,000 by default. */
  flushInterval?: number;
  /** Milliseconds without an answer after which a request has failed; 10,000 by default. */
  requestTimeout?: number;
  /** Milliseconds for which the end of the process may wait for sending; 3,000 by default. */
  exitTimeout?: number;
  /** Takes warnings in place of `console`. */
  logger?: { warn(message: string): void };
}

/** Base of all errors of this package. */
export class BrazebeeError extends Error {}
/** Thrown when the arguments of a call can never become a valid event. */
export class InvalidCall extends BrazebeeError {}
/** Thrown when the client cannot work as it is configured. */
export class InvalidConfiguration extends BrazebeeError {}

/**
 * Records events on disk and sends them in the background. Calls neither wait for the network nor
 * throw because of network or disk.
 */
export class Client {
  constructor(options?: Options);
  /** Record that something happened, and return the id of the event. */
  track(eventKey: string, event: Event): string;
  /** Record fields of a user, and the company to which the user belongs. */
  identify(user: Fields, company?: Fields | null, update?: Update): void;
  /** Record fields of a company, and a user who belongs to it. */
  group(company: Fields, user?: Fields | null, update?: Update): void;
  /** Send what was recorded before this call; whether all of it is sent or refused. */
  flush(timeout?: number): Promise<boolean>;
  /** Send what is recorded, and stop sending; whether all of it is sent or refused. */
  close(timeout?: number): Promise<boolean>;
  /** The refusals that the spool keeps, of all its processes, the oldest first. */
  refused(): Refusal[];
  /** Record all refused events again, after their cause was mended; returns how many. */
  retryRefused(): number;
  readonly statistics: Statistics;
}
