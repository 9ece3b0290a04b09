import { describe, expect, test } from '@jest/globals';
import { mixedFinding, phasesOf, riskIn, selectPhase, statementsOf } from '../../src/migrate-db/phases.ts';
import { finding, migration, observed, rehearsal } from './sample.ts';

const drop = (file: string, line: number) =>
  finding({ code: 'column-dropped', phase: 'contract', place: { file, line, endLine: line } });

describe('the phase of a migration', () => {
  const add = migration('ALTER TABLE shipments ADD COLUMN carrier_id int', 'migrations/1.sql');
  const gone = migration('SET lock_timeout = 1;\nALTER TABLE shipments DROP COLUMN carrier', 'migrations/2.sql');
  const both = migration(
    "SET lock_timeout = '2s';\nALTER TABLE shipments ADD COLUMN weight int;\nALTER TABLE shipments\n  DROP COLUMN mass;",
    'migrations/3.sql',
  );
  const findings = [drop(gone.file, 2), drop(both.file, 3)];
  const all = [add, gone, both];
  const statements = statementsOf(all, undefined);
  const phased = phasesOf(all, findings, statements);

  test('comes from what breaks the running version; settings belong to both', () => {
    expect(phased.map(({ phase }) => phase)).toEqual(['expand', 'contract', 'mixed']);
  });

  test('is contract as a whole where its statements are not known, and expand where somebody allowed it', () => {
    const { up: _, ...opaque } = migration('', 'migrations/4.js');
    const none = statementsOf([opaque], undefined);
    expect(phasesOf([opaque], [drop(opaque.file, 1)], none)).toEqual([{ migration: opaque, phase: 'contract' }]);
    const allowed = [{ ...drop(opaque.file, 1), allowed: 'nobody uses it' }];
    expect(phasesOf([opaque], allowed, none)).toEqual([{ migration: opaque, phase: 'expand' }]);
  });

  test('of a program comes from what the server got from it', () => {
    const { up: _, ...opaque } = migration('', 'migrations/5.js');
    const place = { file: opaque.file };
    const drop = 'alter table "a" drop column "b"';
    const more = observed({ place, sql: 'alter table "a" add column "c" int' });
    const known = (...all: (typeof more)[]) => statementsOf([opaque], rehearsal(all, { migration: opaque }));
    const dropped = observed({ place, sql: drop });
    const breaking = [finding({ code: 'column-dropped', phase: 'contract', place, statement: drop })];
    expect(phasesOf([opaque], breaking, known(dropped))[0]?.phase).toBe('contract');
    expect(phasesOf([opaque], breaking, known(more, dropped))[0]?.phase).toBe('mixed');
    const { rewrite } = mixedFinding(opaque, breaking, known(more, dropped).get(opaque.id) ?? []);
    expect(rewrite).toMatch(
      /before the deploy\nalter table "a" add column "c" int;\n\n.*after the deploy\n.*drop column "b";$/,
    );
  });

  test('is a finding where both are mixed, with both files written out', () => {
    const found = mixedFinding(both, findings, statements.get(both.id) ?? []);
    expect(found).toMatchObject({ code: 'phases-mixed', place: { file: both.file } });
    expect(found.rewrite?.split('\n')).toEqual([
      '-- 1. before the deploy',
      "SET lock_timeout = '2s';",
      'ALTER TABLE shipments ADD COLUMN weight int;',
      '',
      '-- 2. in a migration of its own, after the deploy',
      "SET lock_timeout = '2s';",
      'ALTER TABLE shipments',
      '  DROP COLUMN mass;',
    ]);
  });

  test('ends expand before the first that has to wait, whatever stands behind it', () => {
    const late = phasesOf([add, gone, { ...add, id: 'late' }], findings, statements);
    expect(selectPhase(late, 'expand')).toEqual({ apply: [add], leave: [gone, { ...add, id: 'late' }] });
    for (const phase of ['contract', 'all'] as const) expect(selectPhase(late, phase).leave).toEqual([]);
  });
});

describe('the risk of a phase', () => {
  const [first, second] = [migration('', 'migrations/1.sql'), migration('', 'migrations/2.sql')];
  const phased = [
    { migration: first, phase: 'expand' },
    { migration: second, phase: 'contract' },
  ] as const;

  test('leaves out what is left for later', () => {
    const findings = [finding({ severity: 'warning', place: { file: first.file } }), drop(second.file, 1)];
    expect(riskIn(findings, phased, 'all')).toBe('high');
    expect(riskIn(findings, phased, 'expand')).toBe('low');
  });

  test('is low after the deploy where only the old version minded, and high where data is lost', () => {
    const minded = finding({
      code: 'not-null-breaks-writers',
      phase: 'contract',
      place: { file: second.file, line: 1 },
    });
    expect(riskIn([minded], phased, 'contract')).toBe('low');
    expect(riskIn([minded], phased, 'all')).toBe('high');
    expect(riskIn([drop(second.file, 1)], phased, 'contract')).toBe('high');
  });
});
