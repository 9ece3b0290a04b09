import { unlessAborted } from '../action/grace.ts';
import type { Host } from '../action/host.ts';

/** Work beside the build that must neither fail it nor hold it up for long, such as saving into a cache. */
export interface Background {
  /** Starts work, which tells its own faults; the signal aborts when it is no longer waited for. */
  start(work: (signal: AbortSignal) => Promise<void>): void;
  /** Waits until all of it has ended, at most `limit` milliseconds; then what is left is given up. */
  settle(limit: number): Promise<void>;
}

/** Work beside one build. */
export function background(host: Pick<Host, 'clock' | 'log' | 'signal'>): Background {
  const given = new AbortController();
  const signal = AbortSignal.any([host.signal, given.signal]);
  const running = new Set<Promise<void>>();
  return {
    start(work) {
      const ended = work(signal)
        .catch((error: unknown) => host.log.debug(String(error)))
        .finally(() => void running.delete(ended));
      running.add(ended);
    },
    async settle(limit) {
      if (running.size === 0) return;
      const rest = new AbortController();
      const late = host.clock.sleep(limit, rest.signal).then(
        () => given.abort(new Error(`it took longer than ${limit / 1000} s after everything else was done`)),
        () => undefined,
      );
      const all = Promise.all(running).then(() => rest.abort());
      await unlessAborted(Promise.race([all, late]), host.signal);
      rest.abort();
    },
  };
}
