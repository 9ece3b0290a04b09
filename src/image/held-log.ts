import type { Log } from '../action/log.ts';

/** A log that keeps its lines to itself until it is released, as other work shows its own meanwhile. */
export interface HeldLog extends Log {
  /** Shows what was kept; what comes from now on is shown at once. */
  release(): void;
  /** Whether it keeps no line. */
  isEmpty(): boolean;
}

/** Lines that are kept at most: of more, the last are what tells why a build failed. */
const KEPT = 5000;

/** Holds back the lines of `log`; annotations are no part of its flow and pass at once. */
export function holdLog(log: Log): HeldLog {
  let held: string[] | undefined = [];
  return {
    ...log,
    info(message) {
      if (held === undefined) return log.info(message);
      held.push(message);
      if (held.length > KEPT) held.shift();
    },
    group: async (title, body) => (held === undefined ? log.group(title, body) : body()),
    isEmpty: () => held === undefined || held.length === 0,
    release() {
      const lines = held ?? [];
      held = undefined;
      for (const line of lines) log.info(line);
    },
  };
}
