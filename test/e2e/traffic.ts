import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';

/** What a service's queries felt while something happened to its database. */
export interface Felt {
  readonly queries: number;
  /** Milliseconds of the slowest. */
  readonly slowest: number;
  /** Of the slowest before it happened: what the machine does by itself. */
  readonly usual: number;
  /** Queries of more than a tenth of a second. */
  readonly slow: number;
  readonly failed: number;
}

const CLIENTS = 8;
const PAUSE_MS = 2;

/** The queries of a service that is used: it reads, changes and adds shipments, all the time. */
function* work(client: number): Generator<string> {
  for (let round = 1; ; round += 1) {
    const id = ((round * 7919 + client * 104_729) % 100_000) + 1;
    yield `SELECT code, weight FROM shipments WHERE id = ${id}`;
    yield `UPDATE shipments SET weight = weight + 1 WHERE id = ${id}`;
    yield `INSERT INTO shipments (code, weight) VALUES ('N${client}-${round}', ${round % 900})`;
  }
}

/** Uses a database while `meanwhile` runs, and some time before and after it. */
export async function underLoad<T>(url: string, meanwhile: () => Promise<T>): Promise<{ result: T; felt: Felt }> {
  let [queries, slowest, usual, slow, failed] = [0, 0, 0, 0, 0];
  const over = new AbortController();
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const client = new Client({ connectionString: url, application_name: 'tracking-api' });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    }),
  );
  const loops = clients.map(async (client, at) => {
    for (const sql of work(at)) {
      if (over.signal.aborted) break;
      const began = performance.now();
      await client.query(sql).catch(() => void (failed += 1));
      const took = performance.now() - began;
      queries += 1;
      slowest = Math.max(slowest, took);
      if (took > 100) slow += 1;
      await sleep(PAUSE_MS);
    }
  });
  try {
    await sleep(500);
    usual = slowest;
    const result = await meanwhile();
    await sleep(300);
    return { result, felt: felt() };
  } finally {
    over.abort();
    await Promise.all(loops);
    await Promise.all(clients.map(async (client) => client.end()));
  }

  function felt(): Felt {
    return { queries, slowest, usual, slow, failed };
  }
}

/** A report that somebody left open: it holds a lock on the table that every ALTER TABLE has to wait for. */
export async function openReport(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'monthly-report' });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT count(*) FROM shipments WHERE id < 100');
  return client;
}
