import path from 'node:path';
import { UserError } from '../action/errors.ts';
import { inheritable } from '../action/exec.ts';
import { toolEnvironment } from '../migration/address.ts';
import type { Migration } from '../migration/migration.ts';
import type { Address, Command } from '../migration/tool.ts';
import { discreet } from '../postgres/activity.ts';
import { lockArguments } from '../postgres/advisory-lock.ts';
import { HELD_LOCKS, type HeldLock, heldLocks, newLocks, ofOthersConcern } from './held-locks.ts';
import { isConcurrent } from '../postgres/invalid-indexes.ts';
import { databaseOf, unharmed } from '../postgres/between-database.ts';
import { openRelay } from '../postgres/relay.ts';
import type { Between, RelayHooks, Seen } from '../postgres/relay-hooks.ts';
import { upstreamOf } from '../postgres/upstream.ts';
import { splitScript } from '../sql/split.ts';
import { graceAfter } from '../action/grace.ts';
import { type Attempted, type Scene, checkGoOn } from './attempt.ts';
import { relax } from './relax.ts';
import { type Entry, Ledger, changes, isBookkeeping } from './ledger.ts';
import { lockTimeoutOf, sessionSettings } from './limits.ts';
import type { AppliedMigration, AppliedStatement } from './report.ts';

/** Sessions of the relay outlive a cancelled run for that long, to be cancelled in order. */
const GRACE_MS = 3000;
const LAST_LINES = 15;

/** Where a statement stands that has this text, by the scripts of what is pending. */
type Places = ReadonlyMap<string, { readonly file: string; readonly line: number }>;

/** Applies everything pending by the repository's own tool, whose sessions go through the relay. */
export async function runTool(pending: readonly Migration[], number: number, scene: Scene): Promise<Attempted> {
  const { host, tool, found, control, moment } = scene;
  const ledger = new Ledger();
  const applied: AppliedMigration[] = [];
  const places = placesOf(pending);
  const isApplied = new Set<string>();
  let started = performance.now();

  /** Closes what the tool now calls applied; several at once, where one transaction held them, share its statements. */
  async function closeApplied(): Promise<void> {
    const now = await tool.applied(control, found, scene.migrations);
    const ids = new Set(now.filter(({ state }) => state === 'applied').map(({ id }) => id));
    const closed = pending.filter(({ id }) => ids.has(id) && !isApplied.has(id));
    if (closed.length === 0) return;
    const seconds = (performance.now() - started) / 1000 / closed.length;
    started = performance.now();
    const statements = ledger.close();
    for (const [at, migration] of closed.entries()) {
      isApplied.add(migration.id);
      const own = statements.filter((entry) => belongs(entry, migration, places, at === closed.length - 1, closed));
      applied.push({ migration, statements: own.map((entry) => shown(entry, migration, places)), seconds });
      host.log.info(`applied ${migration.name}`);
    }
    moment('committed');
  }

  /** Within a transaction of the tool only its own session sees how far it is. */
  async function lookWithin(pid: number, between: Between): Promise<void> {
    const inside = databaseOf(between, control.version);
    const now = (await unharmed(between, async () => tool.applied(inside, found, scene.migrations))) ?? [];
    const ids = now.filter(({ state, id }) => state === 'applied' && !isApplied.has(id) && !within.has(id));
    ledger.belongs(
      pid,
      ids.map(({ id }) => id),
    );
    for (const { id } of ids) within.add(id);
  }
  const within = new Set<string>();

  /** A tool hears no more of it than that its session broke off. */
  async function betweenMigrations(): Promise<void> {
    if (applied.length === waitedAfter || applied.length === pending.length) return;
    waitedAfter = applied.length;
    await scene.between().catch((error: unknown) => {
      outOfPatience = error;
      throw error;
    });
  }
  let waitedAfter = 0;
  let outOfPatience: unknown;

  const hooks = relayHooks(scene, number, { ledger, closeApplied, lookWithin, betweenMigrations });
  await scene.between();
  const signal = graceAfter(host.signal, GRACE_MS);
  const connection = await scene.source();
  const upstream = upstreamOf(connection, signal);
  const relay = await openRelay(
    { ...upstream, open: async (parameters) => upstreamOf(await scene.source(), signal).open(parameters) },
    hooks,
  );
  let fault: unknown;
  let isElsewhere = false;
  try {
    // Some tools are told a count: what is pending now counts, and not what was so before the last try or in the plan.
    const command = scene.stops ? tool.upTo?.(found, relay.address, pending) : tool.up?.(found, relay.address);
    if (command === undefined) throw new Error(`${tool.name} has no command`);
    await runCommand(command, relay.address, scene);
  } catch (error) {
    fault = error;
  } finally {
    // Each session that came through is one of them.
    isElsewhere = scene.workers.size === 0 && !host.signal.aborted;
    await relay.close();
  }
  if (!scene.lock.lost.aborted && !control.lost.aborted) await closeApplied();
  if (isElsewhere && applied.length > 0) {
    host.log.warning(
      `${tool.title} applied them past this action, by an address of its own: its statements had no lock timeout and were not watched. Let its configuration take DATABASE_URL.`,
    );
  }
  if (fault === undefined && applied.length === pending.length) return { applied };
  const waiting = pending.filter(({ id }) => !isApplied.has(id));
  const next = waiting.find(({ id }) => !ledger.undone.has(id)) ?? waiting[0];
  const { failed } = ledger;
  const left = ledger.left.filter(({ sql }) => !isBookkeeping(sql, found.settings['table']));
  return {
    applied,
    stopped: {
      ...(next !== undefined && { migration: next }),
      ...(failed !== undefined && { statement: shown(failed, next, places) }),
      error: outOfPatience ?? cause(scene, fault, failed, isElsewhere),
      left: left.length > 0 ? 'part' : 'nothing',
      leftStatements: left.map(({ sql }) => discreet(sql)),
      resumes: false,
    },
  };
}

/** Why it stopped: what was cancelled or lost before what the server said, and that before the tool's exit code. */
function cause({ host, lock, tool }: Scene, fault: unknown, failed: Entry | undefined, isElsewhere: boolean): unknown {
  if (host.signal.aborted) return host.signal.reason;
  if (lock.lost.aborted) return lock.lost.reason;
  if (failed?.error !== undefined && fault !== undefined) return failed.error;
  return (
    fault ??
    new UserError(`${tool.title} ended well and did not apply everything that is pending`, {
      remedy: isElsewhere
        ? 'It opened no session at the address that it was given: find out which database its configuration names, as it may be migrated now, and let it take DATABASE_URL.'
        : 'See its output above; does it read the same folder as this action?',
    })
  );
}

interface Books {
  readonly betweenMigrations: () => Promise<void>;
  readonly ledger: Ledger;
  readonly closeApplied: () => Promise<void>;
  readonly lookWithin: (pid: number, between: Between) => Promise<void>;
}

function relayHooks(
  scene: Scene,
  number: number,
  { ledger, closeApplied, lookWithin, betweenMigrations }: Books,
): RelayHooks {
  const { control, limits, workers, moment, applicationName } = scene;
  const held = new Map<number, readonly HeldLock[]>();
  const restore = new Map<number, () => Promise<void>>();
  const lockTimeout = lockTimeoutOf(limits, number);
  return {
    split: (sql) => splitScript(sql).statements.map((statement) => statement.sql),
    async opened(between) {
      const settings = sessionSettings(limits, number, control.version);
      const worker = lockArguments({ space: scene.space, kind: 'worker' });
      const [row] = await between.ask(
        `${settings}, set_config('application_name', '${applicationName.replaceAll("'", "''")}', false),
           pg_try_advisory_lock_shared(${worker}), pg_backend_pid() AS pid`,
      );
      workers.add(Number(row?.['pid']));
    },
    async before({ pid, sql }: Seen, between: Between) {
      checkGoOn(scene);
      scene.leftovers.note(sql);
      if (between.state === 'I' && isConcurrent(sql)) {
        restore.set(pid, await relax(async (question) => between.ask(question), limits, lockTimeout));
      }
    },
    async after(seen, outcome, between) {
      const { pid, sql } = seen;
      if (between.state !== 'T') held.delete(pid);
      let locks: Entry['locks'] = [];
      if (outcome.error === undefined && between.state === 'T' && changes(sql)) {
        const before = held.get(pid) ?? [];
        const now = heldLocks(await between.ask(HELD_LOCKS));
        held.set(pid, now);
        locks = await ofOthersConcern(control, newLocks(before, now));
      }
      await restore.get(pid)?.();
      restore.delete(pid);
      const { seconds, error } = outcome;
      const committed = ledger.note(
        seen,
        { sql, seconds, locks, ...(error !== undefined && { error }) },
        between.state,
      );
      if (changes(sql)) moment('statement');
      const isNoted = outcome.error === undefined && between.state === 'T' && changes(sql);
      if (isNoted && isBookkeeping(sql, scene.found.settings['table'])) await lookWithin(pid, between);
      if (committed) await closeApplied();
      // The session is in no transaction now, so that nobody waits for it while it waits itself.
      if (committed && between.state === 'I') await betweenMigrations();
    },
  };
}

async function runCommand(
  { program, args, cwd, env }: Command,
  address: Address,
  { host, tool, found }: Scene,
): Promise<void> {
  const lines: string[] = [];
  const { exitCode } = await host.log.group(`${tool.title}: ${[program, ...args].join(' ')}`, async () =>
    host.exec.run(program, args, {
      cwd: path.resolve(host.info.workspace, cwd),
      env: toolEnvironment(inheritable(host.env), address, env, found),
      onLine(line) {
        host.log.info(line);
        lines.push(line);
        if (lines.length > LAST_LINES) lines.shift();
      },
    }),
  );
  if (exitCode === 0) return;
  throw new UserError(`${tool.title} failed with exit code ${exitCode}: ${lines.join('\n').slice(-2000)}`);
}

function placesOf(pending: readonly Migration[]): Places {
  return new Map(
    pending.flatMap(({ up, file }) =>
      up === undefined
        ? []
        : splitScript(up.sql, up.firstLine).statements.map(({ sql, line }) => [plain(sql), { file, line }] as const),
    ),
  );
}

/** Of several that one transaction held: as the tool's table told, else by the file where the text stands; the rest goes to the last. */
function belongs(
  { sql, migration: told }: Entry,
  { file, id }: Migration,
  places: Places,
  isLast: boolean,
  closed: readonly Migration[],
): boolean {
  if (told !== undefined && closed.some((one) => one.id === told)) return told === id;
  const place = places.get(plain(sql));
  const isAnothers = place !== undefined && place.file !== file && closed.some((one) => one.file === place.file);
  return place?.file === file || (isLast && !isAnothers);
}

function shown({ sql, seconds, locks }: Entry, migration: Migration | undefined, places: Places): AppliedStatement {
  const place = places.get(plain(sql)) ?? { file: migration?.file ?? '' };
  return { ...place, sql, seconds, locks };
}

function plain(sql: string): string {
  return sql.trim().replace(/;$/, '').trim();
}
