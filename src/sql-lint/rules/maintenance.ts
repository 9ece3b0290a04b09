import { as } from '../clauses.ts';
import { LOCK_MODES } from '../../migration/finding.ts';
import { isBlocking } from '../effects.ts';
import { rangeOf } from '../names.ts';
import type { Hazard, Step } from '../rule.ts';
import { hasOption } from './indexes.ts';

/** Upkeep that locks whole tables, and locks taken by hand. */
export function* maintenance(step: Step): Generator<Hazard> {
  const vacuum = as(step.node, 'VacuumStmt');
  if (hasOption(vacuum?.options, 'full')) {
    const tables = (vacuum?.rels ?? []).map((node) => rangeOf(as(node, 'VacuumRelation')?.relation));
    const used = tables.filter(({ name }) => !step.catalog.isNew(name));
    const [first] = used;
    if (first || tables.length === 0) {
      yield {
        code: 'vacuum-full',
        message: `nobody can read or write ${first?.name ?? 'any table'} while it is written anew`,
        why: 'The table and its indexes are copied under AccessExclusiveLock.',
        remedy: 'A plain VACUUM frees space for new rows and blocks nobody; pg_repack shrinks a table in use.',
        rewrite: used.map(({ sql }) => `VACUUM (ANALYZE) ${sql};`).join('\n') || 'VACUUM (ANALYZE);',
        ...(first && { lock: { relation: first.name, mode: 'AccessExclusiveLock' } }),
      };
    }
  }
  const cluster = as(step.node, 'ClusterStmt');
  const clustered = rangeOf(cluster?.relation);
  if (cluster && !step.catalog.isNew(clustered.name)) {
    yield {
      code: 'cluster',
      message: `nobody can read or write ${clustered.name || 'any table'} while it is written anew in order`,
      why: 'The table and its indexes are copied under AccessExclusiveLock.',
      remedy: 'pg_repack does the same to a table in use; or agree on a pause.',
      ...(clustered.name !== '' && { lock: { relation: clustered.name, mode: 'AccessExclusiveLock' } }),
    };
  }
  yield* refreshed(step);
  yield* locked(step);
}

function* refreshed(step: Step): Generator<Hazard> {
  const refresh = as(step.node, 'RefreshMatViewStmt');
  const view = rangeOf(refresh?.relation);
  if (!refresh || refresh.concurrent === true || step.catalog.isNew(view.name)) return;
  if (refresh.skipData === true) {
    yield {
      code: 'object-dropped',
      message: `a running version that reads ${view.name} fails until it is refreshed`,
      why: 'WITH NO DATA leaves a view that nobody can read.',
      remedy: 'Refresh it with its data.',
    };
    return;
  }
  yield {
    code: 'refresh-not-concurrent',
    message: `nobody can read ${view.name} while its query runs`,
    why: 'The view is locked against everything until its new content is whole.',
    remedy: 'Refresh it CONCURRENTLY, which needs a unique index on it.',
    rewrite: `REFRESH MATERIALIZED VIEW CONCURRENTLY ${view.sql};`,
    lock: { relation: view.name, mode: 'AccessExclusiveLock' },
  };
}

function* locked(step: Step): Generator<Hazard> {
  const lock = as(step.node, 'LockStmt');
  const mode = LOCK_MODES[(lock?.mode ?? 0) - 1];
  if (!lock || mode === undefined || !isBlocking(mode)) return;
  for (const node of lock.relations ?? []) {
    const table = rangeOf(as(node, 'RangeVar'));
    if (step.catalog.isNew(table.name)) continue;
    yield {
      code: 'lock-table',
      message: `${mode === 'AccessExclusiveLock' ? 'nobody can read or write' : 'nobody can write to'} ${table.name} until the transaction ends`,
      why: `${mode} is held from here to the end.`,
      remedy: 'Leave it out: each statement takes the lock it needs, for as long as it needs it.',
      lock: { relation: table.name, mode },
    };
  }
}
