import { setTimeout as sleep } from 'node:timers/promises';

/** What visitors of a service met. */
export interface Visits {
  readonly asked: number;
  /** Requests without an answer of status 200. */
  readonly failed: number;
  /** Each release that answered, in the order in which it was first met. */
  readonly releases: readonly string[];
}

/** Visitors who ask a service for its release, one after the other, until they are called back. */
export interface Visitors {
  /** @returns what they met since they came */
  callBack(): Promise<Visits>;
}

const PAUSE_MS = 50;
const PATIENCE_MS = 2000;

/** Asks `<url>/readyz` 20 times a second at most. */
export function sendVisitors(url: string): Visitors {
  const releases = new Set<string>();
  const calledBack = new AbortController();
  let [asked, failed] = [0, 0];
  const walk = async (): Promise<void> => {
    while (!calledBack.signal.aborted) {
      asked += 1;
      const release = await releaseAt(url).catch(() => undefined);
      if (release === undefined) failed += 1;
      else releases.add(release);
      await sleep(PAUSE_MS);
    }
  };
  const walking = walk();
  return {
    async callBack() {
      calledBack.abort();
      await walking;
      return { asked, failed, releases: [...releases] };
    },
  };
}

/**
 * The release that a new service says it is, once its address is known to the node: kube-proxy writes its rules about a
 * second after a Service is made.
 * @throws Error when it does not answer within 10 s
 */
export async function firstReleaseAt(url: string): Promise<string> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      return await releaseAt(url);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** The release that a service says it is. @throws Error when it does not answer with 200 */
export async function releaseAt(url: string): Promise<string> {
  // A connection of its own each time, so that every pod gets visitors.
  const answer = await fetch(`${url}/readyz`, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (answer.status !== 200) throw new Error(`${url} answered with ${answer.status}`);
  const { release } = (await answer.json()) as { release: string };
  return release;
}
