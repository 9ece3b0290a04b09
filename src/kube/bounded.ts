import type { Clock } from '../action/host.ts';

/** Asks a question; gives `otherwise` when it is refused or not answered in time. It never rejects. */
export type Ask = <T>(question: () => Promise<T>, otherwise: T) => Promise<T>;

/** Questions that may take `ms` milliseconds each. */
export function bounded(clock: Clock, ms: number): Ask {
  return async (question, otherwise) => {
    const answered = new AbortController();
    const late = clock.sleep(ms, answered.signal).then(
      () => otherwise,
      () => otherwise,
    );
    try {
      const answer = Promise.resolve()
        .then(question)
        .catch(() => otherwise);
      return await Promise.race([answer, late]);
    } finally {
      answered.abort();
    }
  };
}
