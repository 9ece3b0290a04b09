import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ClientConfig } from 'pg';
import type { Finding } from '../../src/migration/finding.ts';
import type { LintContext } from '../../src/sql-lint/context.ts';
import { lint } from '../../src/sql-lint/lint.ts';
import type { Statement } from '../../src/sql/statement.ts';
import { type Case, cases, fixture } from './corpus.ts';
import { type Verdict, isBlocking, judge, open } from './judge.ts';
import { readKnownSchema } from '../../src/rehearsal/known-schema.ts';
import { sizesOf } from './observe.ts';

const execute = promisify(execFile);

/** A statement of the corpus with what PostgreSQL did and what linters say. */
export interface Judged {
  readonly name: string;
  readonly sql: string;
  /** Why it is harmful, as observed; empty where it is not. */
  readonly harm: readonly string[];
  /** Codes of our errors and warnings, with the schema known. */
  readonly ours: readonly string[];
  /** The same by the text alone. */
  readonly blind: readonly string[];
  readonly squawk: readonly string[];
  /** Our safe forms, and what is wrong with them in its place: that they fail, or block. */
  readonly rewrites: readonly { readonly code: string; readonly sql: string; readonly harm: readonly string[] }[];
}

export interface Score {
  readonly precision: number;
  readonly recall: number;
}

/** Rules of squawk about taste, or about a script that is run twice: they say nothing about locks or the running version. */
const TASTE = /^(?:prefer-(?!repack).*|ban-char-field|identifier-too-long|require-table-schema)$/;
/** What squawk takes for the timeouts that the session has in the trial. */
const TIMEOUTS = "SET lock_timeout = '2s'; SET statement_timeout = '60s';\n";
/** Production has a thousand times the rows of the fixture. */
const TIMES = 1000;
const WORKERS = 3;

/** Judges all cases on a server, and asks both linters about them. @param squawk path of its program */
export async function evaluate(server: ClientConfig, squawk: string): Promise<readonly Judged[]> {
  const template = `corpus_${process.pid}`;
  await query(server, `CREATE DATABASE ${template}`);
  await query({ ...server, database: template }, fixture);
  await query({ ...server, database: template }, 'ANALYZE');
  const all = cases();
  const theirs = await squawkOn(all, squawk);
  const waiting = [...all.entries()];
  const judged: Judged[][] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [at, one] = next;
      judged[at] = [...(await trialOf(server, template, at, one, theirs[at] ?? []))];
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  await query(server, `DROP DATABASE ${template}`);
  return judged.flat();
}

/** How many of those told are harmful, and how many of the harmful are told. */
export function score(all: readonly Judged[], told: (one: Judged) => readonly string[]): Score {
  const right = all.filter((one) => one.harm.length > 0 && told(one).length > 0).length;
  const [harmful, flagged] = [all.filter(({ harm }) => harm.length > 0), all.filter((one) => told(one).length > 0)];
  return { precision: right / flagged.length, recall: right / harmful.length };
}

async function trialOf(
  server: ClientConfig,
  template: string,
  at: number,
  one: Case,
  theirs: readonly Told[],
): Promise<readonly Judged[]> {
  const copy = async <T>(work: (config: ClientConfig) => Promise<T>): Promise<T> => {
    const database = `${template}_${at}`;
    await query(server, `CREATE DATABASE ${database} TEMPLATE ${template}`);
    const config = { ...server, database };
    for (const sql of one.setup) await query(config, sql);
    const result = await work(config);
    await query(server, `DROP DATABASE ${database} WITH (FORCE)`);
    return result;
  };
  const [context, verdicts] = await copy(
    async (config) => [await contextOf(config, one), await judge(one, config)] as const,
  );
  const weaker =
    one.weaker === undefined
      ? undefined
      : await copy(async (config) => judge({ ...one, sql: one.weaker ?? '' }, config, []));
  const script = { file: 'x.sql', sql: one.sql, firstLine: 1, transaction: one.transaction };
  const ours = await lint([script], context);
  const blind = await lint([script], { version: context.version ?? 0, setsTimeouts: one.timeouts });
  const found: Judged[] = [];
  for (const [index, { statement, harm, locks }] of verdicts.entries()) {
    const within = (line: number | undefined): boolean =>
      line !== undefined && line >= statement.line && line <= statement.endLine;
    const told = (findings: readonly Finding[]): readonly Finding[] =>
      findings.filter(({ severity, place }) => severity !== 'notice' && within(place.line));
    const before = verdicts[index - 1]?.locks ?? [];
    const taken = locks.filter(
      ({ relation, mode }) =>
        isBlocking(mode) && !before.some((held) => held.relation === relation && held.mode === mode),
    );
    const avoidable = weaker !== undefined && taken.length > 0 && isLess(weaker, taken);
    const because = `avoidable: ${taken.map(({ mode, relation }) => `${mode} on ${relation}`).join(', ')}`;
    const rewrites: Judged['rewrites'][number][] = [];
    for (const { code, rewrite } of told(ours)) {
      if (rewrite === undefined) continue;
      const sql = rewrite.includes('before this one') ? rewrite : `${preceding(one, statement)}${rewrite}`;
      const tried = await copy(async (config) => judge({ ...one, sql, transaction: false }, config, []));
      const own = tried.filter(({ statement: { offset } }) => offset >= sql.length - rewrite.length);
      rewrites.push({ code, sql: rewrite, harm: own.flatMap(({ harm }) => harm.filter((why) => UNSAFE.test(why))) });
    }
    found.push({
      name: one.name,
      sql: statement.sql,
      harm: avoidable ? [...harm, because] : harm,
      ours: told(ours).map(({ code }) => code),
      blind: told(blind).map(({ code }) => code),
      squawk: theirs.filter(({ line }) => within(line)).map(({ rule }) => rule),
      rewrites,
    });
  }
  return found;
}

/** Of a safe form, that it breaks the running version is told by the phase, and that it waits, by the timeouts. */
const UNSAFE = /^(?:fails|blocks|many rows)/;

/** What has to stand before a statement: the script up to it, without its transactions. */
function preceding({ sql }: Case, { offset }: Statement): string {
  const before = sql.slice(0, offset).replaceAll(/^\s*(?:begin|commit|start transaction|set local.*);$/gim, '');
  return before.trim() === '' ? '' : `${before}\n`;
}

/** Whether a script went through with none of these locks. */
function isLess(weaker: readonly Verdict[], locks: readonly { readonly relation: string }[]): boolean {
  const relations = new Set(locks.map(({ relation }) => relation));
  return weaker.every(
    ({ harm, locks }) =>
      !harm.some((one) => one.startsWith('fails')) &&
      !locks.some(({ relation, mode }) => relations.has(relation) && isBlocking(mode)),
  );
}

async function contextOf(config: ClientConfig, { timeouts }: Case): Promise<LintContext> {
  const client = await open(config);
  try {
    await client.query('ANALYZE');
    const { rows } = await client.query<{ version: string }>("SELECT current_setting('server_version_num') AS version");
    return {
      version: Number(rows[0]?.version),
      setsTimeouts: timeouts,
      ...(await readKnownSchema({
        query: async <Row extends object>(sql: string) => (await client.query<Row>(sql)).rows,
      })),
      sizes: await sizesOf(client, TIMES),
    };
  } finally {
    await client.end();
  }
}

async function query(config: ClientConfig, sql: string): Promise<void> {
  const client = await open(config);
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

interface Told {
  readonly rule: string;
  readonly line: number;
}

async function squawkOn(all: readonly Case[], program: string): Promise<readonly (readonly Told[])[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'squawk-'));
  try {
    const told: Told[][] = all.map(() => []);
    for (const transaction of [true, false]) {
      const files = new Map<string, number>();
      for (const [at, one] of all.entries()) {
        if (one.transaction !== transaction) continue;
        const file = path.join(folder, `${at}.sql`);
        files.set(file, at);
        await writeFile(file, `${one.timeouts ? TIMEOUTS : '\n'}${one.sql}\n`);
      }
      const args = ['--reporter', 'json', '--pg-version', '15.0', ...(transaction ? ['--assume-in-transaction'] : [])];
      // It exits with 1 where it finds something.
      const { stdout } = await execute(program, [...args, ...files.keys()], { maxBuffer: 64 * 1024 * 1024 }).catch(
        (error: unknown) => error as { readonly stdout: string },
      );
      for (const { file, line, rule_name } of JSON.parse(stdout) as readonly {
        file: string;
        line: number;
        rule_name: string;
      }[]) {
        // Its lines begin at 0, and the first is that of the timeouts.
        if (!TASTE.test(rule_name)) told[files.get(file) ?? -1]?.push({ rule: rule_name, line });
      }
    }
    return told;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
