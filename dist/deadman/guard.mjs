// @ts-check
// Runs in the cluster beside a canary, in any image with Node 18 or newer, and knows nothing but its plan: when nobody
// renews the canary's Lease any more, it takes the traffic back as the runner would have, and says so on the Lease.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {{
 *   lease: { path: string, uid: string },
 *   annotation: string,
 *   manager: string,
 *   graceSeconds: number,
 *   pollSeconds: number,
 *   restore: { what: string, path: string, contentType: string, patch: object }[],
 * }} Plan
 * @typedef {{
 *   metadata: {
 *     uid: string, resourceVersion: string, annotations?: Record<string, string>,
 *     managedFields?: { manager?: string, time?: string }[],
 *   },
 *   spec?: { renewTime?: string, leaseDurationSeconds?: number },
 * }} Lease
 * @typedef {{ status: number, now: number, text: string }} Answer
 */

// Of the lab's tests; in a pod the folder that Kubernetes mounts.
const folder = process.env['SERVICE_ACCOUNT_FOLDER'] ?? '/var/run/secrets/kubernetes.io/serviceaccount';
const host = process.env['KUBERNETES_SERVICE_HOST'] ?? '';
const server = `https://${host.includes(':') ? `[${host}]` : host}:${process.env['KUBERNETES_SERVICE_PORT'] ?? '443'}`;
/** @type {Plan} */
const plan = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));

// As process 1 of its container Node would not end by itself.
process.once('SIGTERM', () => process.exit(143));
say(`watches ${plan.lease.path}`);
await watch();

async function watch() {
  for (;;) {
    try {
      if (await isDone()) return;
    } catch (error) {
      say(`tries again: ${reasonOf(error)}`);
    }
    await sleep(plan.pollSeconds * 1000);
  }
}

/** One look at the Lease, and what follows from it. */
async function isDone() {
  const { lease, now } = await readLease();
  const state = lease && stateOf(lease);
  if (lease === undefined || state === 'finished' || state === 'taken-back') {
    say(lease === undefined ? 'the Lease is gone: ends' : `the canary is ${state}: ends`);
    return true;
  }
  if (state === 'taking-back') return takeBack();
  if (!isExpired(lease, now)) {
    // Before any traffic moves, the runner waits to see that its guard lives and may write.
    if (state === undefined) await mark('watching', lease.metadata.resourceVersion);
    return false;
  }
  say('nobody renewed the Lease in time');
  // Fails where the Lease was renewed since it was read, so a runner that is only slow keeps its canary. Who may not be
  // told still loses the traffic of a version that nobody watches.
  const claimed = await mark('taking-back', lease.metadata.resourceVersion);
  return claimed === 409 ? false : takeBack();
}

async function takeBack() {
  await Promise.all(plan.restore.map(restored));
  const status = await mark('taken-back');
  if (status !== 404 && status >= 300) throw new Error(`the Lease could not be marked: ${status}`);
  say('the traffic is taken back');
  return true;
}

/** @param {Plan['restore'][number]} one */
async function restored({ what, path, contentType, patch }) {
  for (;;) {
    try {
      const { status, text } = await ask('PATCH', path, contentType, patch);
      // What is gone gets no traffic.
      if (status < 300 || status === 404) return say(`${what}: ${status === 404 ? 'is gone' : 'restored'}`);
      say(`${what}: ${status} ${text.slice(0, 500)}`);
    } catch (error) {
      say(`${what}: ${reasonOf(error)}`);
    }
    await sleep(1000);
  }
}

/** @returns {Promise<{ lease?: Lease, now: number }>} the Lease, unless it is gone or another canary's, and the server's time */
async function readLease() {
  const { status, now, text } = await ask('GET', plan.lease.path);
  if (status === 404) return { now };
  if (status >= 300) throw new Error(`the Lease cannot be read: ${status} ${text.slice(0, 500)}`);
  const lease = JSON.parse(text);
  return lease.metadata.uid === plan.lease.uid ? { lease, now } : { now };
}

/**
 * The server's clock on both sides: it stamps each write to an object, and each answer. The runner's own clock, by which
 * `renewTime` is set, may be off.
 * @param {Lease} lease
 * @param {number} now
 */
function isExpired({ metadata, spec }, now) {
  const written = (metadata.managedFields ?? [])
    .filter(({ manager }) => manager !== plan.manager)
    .map(({ time }) => Date.parse(time ?? ''))
    .filter((time) => !Number.isNaN(time));
  const renewed = written.length > 0 ? Math.max(...written) : Date.parse(spec?.renewTime ?? '');
  const lasts = (spec?.leaseDurationSeconds ?? 60) + plan.graceSeconds;
  return Number.isNaN(renewed) || now - renewed > lasts * 1000;
}

/** @param {Lease} lease */
function stateOf(lease) {
  try {
    return JSON.parse(lease.metadata.annotations?.[plan.annotation] ?? '{}').state;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} state
 * @param {string} [resourceVersion] the only one that it may be written over
 */
async function mark(state, resourceVersion) {
  const value = JSON.stringify({ state, at: new Date().toISOString() });
  const metadata = { annotations: { [plan.annotation]: value }, ...(resourceVersion && { resourceVersion }) };
  const { status, text } = await ask('PATCH', plan.lease.path, 'application/merge-patch+json', { metadata });
  if (status >= 300) say(`the Lease was not marked ${state}: ${status} ${text.slice(0, 500)}`);
  return status;
}

/**
 * @param {'GET' | 'PATCH'} method
 * @param {string} path
 * @param {string} [contentType]
 * @param {object} [body]
 * @returns {Promise<Answer>}
 */
async function ask(method, path, contentType, body) {
  // The kubelet renews it in place.
  const token = (await readFile(`${folder}/token`, 'utf8')).trim();
  const answer = await fetch(`${server}${path}${method === 'PATCH' ? `?fieldManager=${plan.manager}` : ''}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(contentType && { 'content-type': contentType }) },
    ...(body && { body: JSON.stringify(body) }),
    redirect: 'error',
    signal: AbortSignal.timeout(10_000),
  });
  const now = Date.parse(answer.headers.get('date') ?? '');
  return { status: answer.status, now: Number.isNaN(now) ? Date.now() : now, text: await answer.text() };
}

/** @param {unknown} error */
function reasonOf(error) {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** @param {string} words */
function say(words) {
  // oxlint-disable-next-line no-console -- it is the whole program, and this is its log
  console.log(words);
}
