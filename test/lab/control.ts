import type { Fault, Logged } from './parts/stand-in.ts';

/** The controls of a stand-in of the lab, such as its GitHub or its AWS. */
export interface Control {
  /** Sets what goes wrong next, in place of what was set before. */
  faults(...faults: readonly Fault[]): Promise<void>;
  /**
   * Changes a setting; `null` brings each of AWS's back. GitHub has `claims`; AWS has `policy` and `trust` (a document,
   * or documents by role ARN), `users` (`{groups}` by role ARN), the seconds of `token-age`, `session`,
   * `registry-password` and `invalidation`, and `edge` (`{distribution, port, minTtl}`, a stand-in for CloudFront).
   */
  set(setting: string, value: unknown): Promise<void>;
  /** The requests since the last `forget`, oldest first, at most 1000. */
  requests(): Promise<readonly Logged[]>;
  forget(): Promise<void>;
}

/** Controls the stand-in whose facts give this address as `control`. */
export function controlOf(address: string): Control {
  const ask = async (method: string, what: string, value?: unknown): Promise<unknown> => {
    const body = value === undefined ? null : JSON.stringify(value);
    const answer = await fetch(`${address}/_lab/${what}`, { method, body, signal: AbortSignal.timeout(5000) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} /_lab/${what}: ${text}`);
    return JSON.parse(text);
  };
  return {
    faults: async (...faults) => void (await ask('PUT', 'faults', faults)),
    set: async (setting, value) => void (await ask('PUT', setting, value)),
    requests: async () => (await ask('GET', 'requests')) as readonly Logged[],
    forget: async () => void (await ask('DELETE', 'requests')),
  };
}
