import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LabFacts } from '../../part.ts';
import { isRunning } from '../../process.ts';

export type ClusterFacts = NonNullable<LabFacts['cluster']>;

/** One request with the administrator's token over the server's own certificate. */
export async function call(
  facts: Pick<ClusterFacts, 'endpoint' | 'caFile' | 'adminToken'>,
  method: string,
  path: string,
  content?: unknown,
): Promise<{ status: number; body: string }> {
  const ca = await readFile(facts.caFile);
  const headers = { authorization: `Bearer ${facts.adminToken}`, 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(5000);
    const sent = request(new URL(path, facts.endpoint), { method, ca, headers, signal, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (body += chunk));
      answer.once('error', reject);
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    sent.once('error', reject);
    sent.end(content === undefined ? undefined : JSON.stringify(content));
  });
}

/** Waits until a node is ready and takes pods. @throws Error with the end of `program`'s log after a minute */
export async function nodeReady(facts: ClusterFacts, state: string, node: string, program: string): Promise<void> {
  await until(`The node ${node} is not ready`, state, program, async () => {
    const { status, body } = await call(facts, 'GET', `/api/v1/nodes/${node}`);
    if (status !== 200) return false;
    const live = JSON.parse(body) as {
      spec?: { taints?: { key: string }[] };
      status?: { conditions?: { type: string; status: string }[] };
    };
    const ready = live.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
    // The taint goes a moment after the node turns Ready; until then no pod is placed.
    const tainted = live.spec?.taints?.some((taint) => taint.key === 'node.kubernetes.io/not-ready');
    return ready === true && tainted !== true;
  });
}

/** Waits a minute for `done`. @throws Error of `fault` and the end of the program's log, at once when it ended */
export async function until(
  fault: string,
  state: string,
  program: string,
  done: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (await done().catch(() => false)) return;
    if (!(await isRunning(state, program))) break;
    await sleep(200);
  }
  const log = await readFile(join(state, `${program}.log`), 'utf8').catch(() => '');
  throw new Error(`${fault}; the end of ${program}'s log:\n${log.slice(-2000)}`);
}

/** A kubeconfig, which may be written as JSON. */
export function kubeconfig(server: Readonly<Record<string, string>>, user: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: server }],
    users: [{ name: 'lab', user }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab', namespace: 'default' } }],
    'current-context': 'lab',
  });
}

/** Writes what only this user may read. */
export async function secretFile(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
}
