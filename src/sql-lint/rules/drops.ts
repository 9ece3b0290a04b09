import type { Node } from 'libpg-query';
import { alterationsOf } from '../alterations.ts';
import { as } from '../clauses.ts';
import { quoted, rangeOf, relationOf, textsOf } from '../names.ts';
import type { Hazard, Step } from '../rule.ts';

const LATER = 'Do it in a migration of its own, after the deploy of a version that no longer uses it.';

/** What is dropped. */
export function* drops(step: Step): Generator<Hazard> {
  for (const { relation, command, table } of alterationsOf(step)) {
    const lock = { relation: relation.name, mode: 'AccessExclusiveLock' } as const;
    const name = command.name ?? '';
    if (command.subtype === 'AT_DropColumn') {
      yield {
        code: 'column-dropped',
        message: `a running version that reads or writes ${relation.name}.${name} fails, and its data is gone`,
        why: 'Every query that names the column fails; mappers name all columns, also those nobody looks at.',
        remedy: LATER,
        lock,
      };
    }
    if (command.subtype !== 'AT_DropConstraint') continue;
    const kind = table?.constraints.find((one) => one.name === name)?.kind;
    const isUnique = kind === 'unique' || kind === 'primary key';
    if (kind !== undefined && !isUnique) continue;
    yield {
      code: 'constraint-dropped',
      // Of checks and foreign keys, no query relies on; most drops are of those.
      ...(!isUnique && { severity: 'notice' as const }),
      message: `INSERT … ON CONFLICT of ${relation.name} fails without ${name}${isUnique ? '' : ', if it is unique'}`,
      why: 'ON CONFLICT needs a unique index on just these columns; so do foreign keys that refer to them.',
      remedy: LATER,
      lock,
    };
  }
  yield* objects(step);
  const database = as(step.node, 'DropdbStmt');
  if (database) yield dropped('schema-dropped', `the database ${database.dbname ?? ''}`, 'Everything in it is gone.');
}

function* objects(step: Step): Generator<Hazard> {
  const drop = as(step.node, 'DropStmt');
  for (const object of drop?.objects ?? []) {
    const named = relationOf(nameOf(object));
    if (step.catalog.isNew(named.name) || step.catalog.newTypes.has(named.name)) continue;
    const kind: string = drop?.removeType ?? '';
    switch (kind) {
      case 'OBJECT_TABLE':
      case 'OBJECT_FOREIGN_TABLE':
        yield {
          ...dropped('table-dropped', named.name, 'Every query of it fails, and its data is gone.'),
          ...(kind === 'OBJECT_TABLE' && {
            lock: { relation: named.name, mode: 'AccessExclusiveLock' as const },
          }),
        };
        break;
      case 'OBJECT_SCHEMA':
        yield dropped(
          'schema-dropped',
          named.name,
          'Every query of what is in it fails; with CASCADE, all data is gone.',
        );
        break;
      case 'OBJECT_VIEW':
      case 'OBJECT_MATVIEW':
      case 'OBJECT_SEQUENCE':
      case 'OBJECT_TYPE':
      case 'OBJECT_DOMAIN':
      case 'OBJECT_FUNCTION':
      case 'OBJECT_PROCEDURE':
      case 'OBJECT_ROUTINE':
      case 'OBJECT_AGGREGATE':
      case 'OBJECT_EXTENSION':
        yield dropped(
          'object-dropped',
          named.name,
          'Every query that uses it fails; CASCADE takes what depends on it too.',
        );
        break;
      default:
    }
  }
}

function dropped(code: 'table-dropped' | 'schema-dropped' | 'object-dropped', name: string, why: string): Hazard {
  return { code, message: `a running version that uses ${name} fails`, why, remedy: LATER };
}

function nameOf(object: Node): readonly string[] {
  const [list, type, routine] = [as(object, 'List'), as(object, 'TypeName'), as(object, 'ObjectWithArgs')];
  return textsOf(list?.items ?? type?.names ?? routine?.objname ?? [object]);
}

/** What gets another name or moves to another schema. */
export function* renames(step: Step): Generator<Hazard> {
  const rename = as(step.node, 'RenameStmt');
  if (rename) yield* renamed(step, rename);
  const moved = as(step.node, 'AlterObjectSchemaStmt');
  const relation = rangeOf(moved?.relation);
  if (moved && !(moved.relation && step.catalog.isNew(relation.name))) {
    const name = moved.relation ? relation.name : relationOf(moved.object ? nameOf(moved.object) : []).name;
    yield {
      code: moved.objectType === 'OBJECT_TABLE' ? 'table-renamed' : 'object-renamed',
      message: `a running version does not find ${name} in ${moved.newschema ?? ''}`,
      why: 'Its queries look in the old schema, unless its search_path has the new one.',
      remedy: 'Leave a view under the old name, in the same transaction.',
      ...(moved.objectType === 'OBJECT_TABLE' && {
        rewrite: `${step.sql};\nCREATE VIEW ${relation.sql} AS SELECT * FROM ${quoted(moved.newschema ?? '')}.${quoted(relation.bare)};`,
      }),
    };
  }
  const value = as(step.node, 'AlterEnumStmt');
  if (value?.oldVal !== undefined && !step.catalog.newTypes.has(relationOf(textsOf(value.typeName)).name)) {
    yield {
      code: 'object-renamed',
      message: `a running version that writes or compares ${value.oldVal} fails`,
      why: 'The value is known by its new name alone.',
      remedy: 'Add the new value, let the next version write it, and update the rows then.',
      rewrite: `ALTER TYPE ${relationOf(textsOf(value.typeName)).sql} ADD VALUE '${(value.newVal ?? '').replaceAll("'", "''")}';`,
    };
  }
}

function* renamed(step: Step, rename: NonNullable<ReturnType<typeof as<'RenameStmt'>>>): Generator<Hazard> {
  const relation = rangeOf(rename.relation);
  const newName = quoted(rename.newname ?? '');
  if (rename.relation && step.catalog.isNew(relation.name)) return;
  const lock = { relation: relation.name, mode: 'AccessExclusiveLock' } as const;
  if (rename.renameType === 'OBJECT_TABLE') {
    yield {
      code: 'table-renamed',
      message: `a running version does not find ${relation.name} any more`,
      why: 'Each of its queries of the table fails at once.',
      remedy: 'Leave a view under the old name, in the same transaction, and drop it after the deploy.',
      rewrite: `BEGIN;\n${step.sql};\nCREATE VIEW ${relation.sql} AS SELECT * FROM ${newName};\nCOMMIT;`,
      lock,
    };
  } else if (rename.renameType === 'OBJECT_COLUMN') {
    const old = rename.subname ?? '';
    const type = step.catalog.table(relation.name)?.columns.get(old)?.type;
    yield {
      code: 'column-renamed',
      message: `a running version does not find ${relation.name}.${old} any more`,
      why: 'Each query that names the column fails at once.',
      remedy: 'Add a column of the new name, write both, fill it in steps, and drop the old one after the deploy.',
      ...(type !== undefined &&
        rename.relationType === 'OBJECT_TABLE' && {
          rewrite: `ALTER TABLE ${relation.sql} ADD COLUMN ${newName} ${type};`,
        }),
      ...(rename.relationType === 'OBJECT_TABLE' && { lock }),
    };
  } else if (BROKEN.has(rename.renameType ?? '')) {
    const name = rename.relation ? relation.name : relationOf(rename.object ? nameOf(rename.object) : []).name;
    if (step.catalog.newTypes.has(name)) return;
    const what = rename.subname === undefined ? name : `${name}.${rename.subname}`;
    yield {
      code: rename.renameType === 'OBJECT_SCHEMA' ? 'table-renamed' : 'object-renamed',
      message: `a running version does not find ${what === '' ? (rename.subname ?? '') : what} any more`,
      why: 'Each query that names it fails at once.',
      remedy: 'Make a second one under the new name, and drop the old one after the deploy.',
    };
  }
}

/** Kinds of objects that queries name. Indexes, triggers, rules, policies and constraints of checks they don't. */
const BROKEN: ReadonlySet<string> = new Set([
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_SEQUENCE',
  'OBJECT_TYPE',
  'OBJECT_DOMAIN',
  'OBJECT_FUNCTION',
  'OBJECT_PROCEDURE',
  'OBJECT_ROUTINE',
  'OBJECT_AGGREGATE',
  'OBJECT_ATTRIBUTE',
  'OBJECT_SCHEMA',
]);
