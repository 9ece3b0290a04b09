import { describe, expect, test } from '@jest/globals';
import type { ApplyReport } from '../../src/apply/report.ts';
import { annotate } from '../../src/migrate-db/annotate.ts';
import type { Checked } from '../../src/migrate-db/check.ts';
import type { ApplyOutcome, CheckOutcome, PlanOutcome, RepairOutcome } from '../../src/migrate-db/outcome.ts';
import { jsonOf, refusalSummary, summaryOf } from '../../src/migrate-db/report.ts';
import type { Survey } from '../../src/migrate-db/survey.ts';
import { type Finding, riskOf } from '../../src/migration/finding.ts';
import { toolNamed } from '../../src/migration/tools/tools.ts';
import { SqlError } from '../../src/postgres/database.ts';
import { finding, migration, observed, rehearsal } from './sample.ts';

const one = migration('CREATE INDEX shipments_carrier ON shipments (carrier_id)');
const found = { tool: 'sql', project: '', directory: 'migrations', reason: 'numbered files', settings: {} } as const;
const set = { found, tool: toolNamed('sql'), migrations: [one] };
const shipments = { relation: 'shipments', rows: 41_000_000, bytes: 4.2e9 };

function checked(findings: readonly Finding[], more: Partial<Checked> = {}): Checked {
  return {
    set,
    migrations: [one],
    findings,
    risk: riskOf(findings),
    phases: [{ migration: one, phase: 'expand' }],
    rehearsal: rehearsal([observed()]),
    sizes: new Map([['shipments', shipments]]),
    past: [],
    ...more,
  };
}

const check = (...all: readonly Checked[]): CheckOutcome => ({ mode: 'check', checked: all });

describe('the page of a check', () => {
  test('says first what would wait and for how long, then why, the safe form, and what to do', () => {
    const page = summaryOf(check(checked([finding()])), 'risky');
    const [head, why, ...rest] = page.split('\n\n');
    expect(head).toMatch(/^### ⛔ `002_add_carrier\.sql` would block every write to `shipments` for about \d+ s$/);
    expect(why).toContain('line 4');
    expect(why).toContain('Rehearsed on PostgreSQL 15: took **ShareLock** on `shipments` (all writes wait)');
    expect(why).toContain('about 41 million rows there (4.2 GB)');
    expect(rest[0]).toBe(`\`\`\`sql\n${finding().rewrite}\n\`\`\``);
    expect(rest[1]).toBe(`**What to do:** ${finding().remedy}`);
    expect(rest[2]).toContain('**Risk: high**');
  });

  test('of safe migrations is short, and shows the rehearsal', () => {
    const page = summaryOf(check(checked([])), 'safe');
    expect(page.split('\n\n').slice(0, 3)).toEqual([
      '### ✅ 1 new migration is safe to apply',
      '**Risk: none**',
      '**Rehearsed** on PostgreSQL 15: 1 migration, 1 statement, 1.2 s.',
    ]);
  });

  test('of nothing new is one line, and the tools that were found', () => {
    const page = summaryOf(
      check(checked([], { migrations: [], phases: [], rehearsal: undefined } as never)),
      'nothing',
    );
    expect(page).toMatch(/^### ✅ No migration is new\n\n<details><summary>Migrations/);
  });

  test('of what cannot work names the fault, and that nothing was rehearsed', () => {
    const broken = finding({
      code: 'syntax-error',
      message: 'syntax error at or near "TABEL"',
      lock: undefined,
    } as never);
    const page = summaryOf(
      check(checked([broken], { notRehearsed: 'no server', rehearsal: undefined } as never)),
      'broken',
    );
    expect(page).toMatch(/^### ❌ `002_add_carrier\.sql` does not work as it is: syntax error at or near "TABEL"\n/);
    expect(page).toContain('**Not rehearsed**, so judged by its text alone: no server');
  });

  test('shows what breaks the running version, what was allowed and why, and where the server knew better', () => {
    const drop = finding({ code: 'column-dropped', phase: 'contract', message: 'the old version reads weight' });
    const allowed = finding({ code: 'truncate', allowed: 'a cache of ours' });
    const better = finding({ severity: 'notice', source: 'rehearsal', why: 'PostgreSQL 15 shows otherwise.' });
    const page = summaryOf(check(checked([drop, allowed, better])), 'risky');
    expect(page).toMatch(/^### ⛔ .* would break the version that runs now: the old version reads weight\n/);
    expect(page).toContain('✔️ `migrations/002_add_carrier.sql:4`');
    expect(page).toContain('allowed: a cache of ours');
    expect(page).toMatch(/⚖️ .*PostgreSQL 15 shows otherwise\./);
  });

  test('keeps what comes from outside from being Markdown', () => {
    const evil = finding({ message: '</details><img src=x> [x](http://evil) | @team', statement: '``` `x' });
    const page = summaryOf(check(checked([evil])), 'risky');
    expect(page).not.toContain('<img');
    expect(page).not.toContain('](http://evil)');
    expect(page).not.toContain('@team');
  });
});

const survey: Survey = {
  server: {
    version: 150_018,
    database: 'shop',
    inRecovery: false,
    readOnly: false,
    isAurora: false,
    connections: { used: 3, free: 90, max: 100 },
  },
  sets: [
    { set, applied: [{ id: '001', state: 'applied', at: '2026-11-20T09:30:00.000Z' }], pending: [one], leftovers: [] },
  ],
  sizes: new Map([['shipments', shipments]]),
  past: [],
  connected: [{ user: 'shop', application: 'api', sessions: 3 }],
  longTransactions: [],
  invalidIndexes: [],
};

describe('the page of a plan', () => {
  test('says what is pending where, and who is connected', () => {
    const plan: PlanOutcome = { mode: 'plan', checked: [checked([])], survey };
    const page = summaryOf(plan, 'safe');
    expect(page).toMatch(/^### ✅ 1 pending migration is safe to apply in `shop`\n/);
    expect(page).toContain(
      '**Database:** `shop`, PostgreSQL 15.18, 3 other sessions connected; 1 of 1 migration pending.',
    );
    expect(page).toContain('| shop | api | 3 |');
  });
});

describe('the page of an apply', () => {
  const done: ApplyReport = {
    state: 'applied',
    applied: [{ migration: one, statements: [], seconds: 0.4 }],
    pending: [],
    lockedOut: [],
    terminated: [],
    droppedIndexes: [],
    queue: { sessions: 2, seconds: 0.3 },
    seconds: 1.4,
  };
  const apply = (report: ApplyReport, more: Partial<ApplyOutcome> = {}): ApplyOutcome => {
    return { mode: 'apply', checked: [checked([])], survey, applied: [{ set, report, drift: [] }], left: [], ...more };
  };

  test('says what was applied, and how long others waited', () => {
    const page = summaryOf(apply(done), 'applied');
    expect(page).toMatch(
      /^### ✅ 1 migration is applied to `shop` after 1\.4 s; others waited at most 0\.3 s meanwhile\n/,
    );
    expect(page).toContain('| `002_add_carrier` | ✅ applied | 0.4 s |');
  });

  test('of a failure says why, what stays, whether the running version works, and what to do', () => {
    const error = new SqlError('column "carrier" does not exist', '42703');
    const next = migration('', 'migrations/003.sql');
    const failure = {
      migration: next,
      statement: { file: next.file, line: 3, sql: 'ALTER TABLE shipments DROP carrier', seconds: 0.002 },
      message: '003: column "carrier" does not exist',
      error,
      left: 'part',
      leftStatements: ['CREATE INDEX CONCURRENTLY a ON b (c)'],
      running: 'The version that runs now works as before.',
      next: 'Mend line 3, push it, and run it again.',
    } as const;
    const page = summaryOf(apply({ ...done, state: 'failed', pending: [next], failure }), 'failed');
    expect(page).toMatch(/^### ❌ `003` could not be applied to `shop` — 1 of 2 applied\n/);
    expect(page).toContain('**Why:** 003: column "carrier" does not exist (migrations/003.sql:3, after 2 ms)');
    expect(page).toContain('**The version that runs now:** The version that runs now works as before.');
    expect(page).toContain('| `003` | ❌ failed; its first statement stays |  |');
    expect(page).toContain('**What to do:** Mend line 3, push it, and run it again.');
  });

  test('names who held the locks that were waited for, and what waits for the deploy', () => {
    const blocker = {
      pid: 4711,
      user: 'shop',
      application: 'report',
      client: '10.0.3.7',
      state: 'idle in transaction',
      query: 'SELECT 1',
      transactionSeconds: 840,
      isClient: true,
      waitsFor: [],
    };
    const lockedOut = [
      {
        statement: 'ALTER TABLE shipments',
        error: new SqlError('lock', '55P03'),
        lockTimeout: 2000,
        blockers: [blocker],
      },
    ];
    const left = [migration('', 'migrations/009_drop.sql')];
    const page = summaryOf(apply({ ...done, lockedOut }, { left }), 'applied');
    expect(page).toContain('no lock within 2 s');
    expect(page).toMatch(/pid 4711 \(user shop, application report.*idle in transaction for 14 min/);
    expect(page).toContain('**After the deploy:** `009_drop`');
  });
});

test('the page of a repair shows what would be run, and how it is told to', () => {
  const leftover = {
    name: 'knex-lock',
    what: 'Knex’s lock row is set',
    mend: 'Frees the lock.',
    sql: ['UPDATE x SET y = 0'],
  };
  const repair: RepairOutcome = { mode: 'repair', found: [{ ...leftover, state: 'found' }] };
  const page = summaryOf(repair, 'told');
  expect(page).toMatch(/^### ⚠️ 1 thing can be mended\n/);
  expect(page).toContain('UPDATE x SET y = 0;');
  expect(page).toContain('`repair: all`');
});

test('the page of a status says what is pending and what a run that died left', () => {
  expect(summaryOf({ mode: 'status', survey }, 'told')).toMatch(/^### 📋 1 migration is pending in `shop`\n/);
  const broken = { ...survey, invalidIndexes: [{ oid: 1, name: 'a', table: 'b', bare: 'a', isCopy: false }] };
  expect(summaryOf({ mode: 'status', survey: broken }, 'told')).toMatch(
    /^### ⚠️ `shop` holds what a run that died has left\n/,
  );
});

test('a run that did not get to its work says why on its page', () => {
  const page = refusalSummary('apply', [{ message: 'the database is a standby', remedy: 'Name the primary.' }]);
  expect(page).toBe('### ❌ Nothing was applied: the database is a standby\n\n**What to do:** Name the primary.');
});

test('annotations stand at their lines; what was allowed, or overruled by the server, has none', () => {
  const told: string[] = [];
  const log = (kind: string) => (message: string, place?: { line?: number }) =>
    void told.push(`${kind} ${place?.line} ${message.split('\n')[0]}`);
  const all = [
    finding(),
    finding({ severity: 'warning' }),
    finding({ allowed: 'yes' }),
    finding({ severity: 'notice', source: 'rehearsal' }),
  ];
  annotate(all, { error: log('error'), warning: log('warning'), notice: log('notice') });
  expect(told.map((line) => line.split(' ').slice(0, 2))).toEqual([
    ['error', '4'],
    ['warning', '4'],
  ]);
  expect(told[0]).toContain('(index-not-concurrent)');
});

test('the report for programs can be written as JSON, with what the server did', () => {
  const report = JSON.parse(JSON.stringify(jsonOf(check(checked([finding()])), 'risky'))) as Record<string, unknown>;
  expect(report).toMatchObject({
    mode: 'check',
    verdict: 'risky',
    risk: 'high',
    findings: [{ code: 'index-not-concurrent', place: { line: 4 } }],
    migrations: [{ name: '002_add_carrier', phase: 'expand' }],
  });
});
