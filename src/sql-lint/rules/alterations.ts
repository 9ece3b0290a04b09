import { type Alteration, alterationsOf, fillInBatches } from '../alterations.ts';
import { as, tokensOf } from '../clauses.ts';
import { madeName, quoted, relationOf, textsOf, typeText } from '../names.ts';
import type { Hazard, Step } from '../rule.ts';
import { breaksUse, typeChange } from '../types.ts';

/** What ALTER TABLE changes of columns and tables that are there: types, defaults, where and how they are stored. */
export function* alterations(step: Step): Generator<Hazard> {
  for (const one of alterationsOf(step)) {
    const { subtype } = one.command;
    if (subtype === 'AT_AlterColumnType') yield* typeChanged(one);
    if (subtype === 'AT_ColumnDefault' && one.command.def === undefined) yield* defaultDropped(one);
    if (subtype === 'AT_DropNotNull') yield notNullDropped(one);
    const copies = COPIES[subtype ?? ''];
    if (copies !== undefined) yield copied(one, copies);
    if (subtype?.startsWith('AT_DisableTrig') === true) yield triggerDisabled(one);
  }
}

const COPIES: Readonly<Record<string, string>> = {
  AT_SetLogged: 'SET LOGGED',
  AT_SetUnLogged: 'SET UNLOGGED',
  AT_SetTableSpace: 'SET TABLESPACE',
  AT_SetAccessMethod: 'SET ACCESS METHOD',
  AT_SetExpression: 'SET EXPRESSION',
};

function* typeChanged({ relation, table, command, text, alter }: Alteration): Generator<Hazard> {
  const column = command.name ?? '';
  const definition = as(command.def, 'ColumnDef');
  const to = typeText(definition?.typeName);
  const from = table?.columns.get(column)?.type;
  const hasUsing = definition?.raw_default !== undefined;
  if (from !== undefined && breaksUse(from, to)) {
    yield {
      code: 'column-type-breaks',
      message: `${relation.name}.${column} is ${from} to the running version, and ${to} from now on`,
      why: 'Queries that compare or write it as before fail.',
      remedy: 'Add a column of the new type, and drop the old one once no running version uses it.',
    };
  }
  if (from !== undefined && !hasUsing && typeChange(from, to) === 'nothing') {
    const check = table?.constraints.find(
      ({ kind, columns, valid }) => kind === 'check' && valid && columns.includes(column),
    );
    if (check) yield checkedAgain(relation, column, check.name);
    return;
  }
  const written = partOf(text, 'type', ['using', 'collate']) ?? to;
  const value = partOf(text, 'using', []) ?? `${quoted(column)}::${written}`;
  const [old, made] = [quoted(column), quoted(madeName(column, 'new'))];
  yield {
    code: 'column-type-rewrites',
    message:
      from === undefined
        ? `nobody can read or write ${relation.name} while all of it is written anew, unless ${column} is of a type that fits into ${to}`
        : `nobody can read or write ${relation.name} while all of it is written anew: ${from} does not fit into ${to} as it is`,
    why: 'The table and its indexes are copied under AccessExclusiveLock.',
    remedy: 'Add a column of the new type, fill it in steps, and let the next version use it.',
    rewrite: `${alter} ADD COLUMN ${made} ${written};
-- Let the next version write both columns, then:
${fillInBatches(relation, `${made} = ${value}`, `${made} IS NULL AND ${old} IS NOT NULL`)}`,
    lock: { relation: relation.name, mode: 'AccessExclusiveLock' },
  };
}

/** The values stay as they are, but a CHECK is made anew for the new type, and with it all rows are checked. */
function checkedAgain(relation: Alteration['relation'], column: string, check: string): Hazard {
  const name = quoted(check);
  return {
    code: 'column-type-rewrites',
    message: `nobody can read or write ${relation.name} while all its rows are checked again for ${check}`,
    why: `The values of ${column} stay as they are, but its CHECK is made anew for the new type.`,
    remedy: 'Drop the CHECK in the same transaction, and add it again NOT VALID.',
    rewrite: `-- and then add it again as before, with NOT VALID, and validate it
ALTER TABLE ${relation.sql} DROP CONSTRAINT ${name};`,
    lock: { relation: relation.name, mode: 'AccessExclusiveLock' },
  };
}

/** What stands behind a word of the command, up to the next of others. */
function partOf(command: string, word: string, others: readonly string[]): string | undefined {
  const tokens = [...tokensOf(command)].filter(({ depth }) => depth === 0);
  const start = tokens.findIndex(({ text }) => text.toLowerCase() === word);
  const from = tokens[start + 1]?.at;
  if (start < 0 || from === undefined) return undefined;
  const end = tokens.find(({ text, at }) => at > from && others.includes(text.toLowerCase()));
  return command.slice(from, end?.at).trim();
}

function* defaultDropped({ relation, table, command }: Alteration): Generator<Hazard> {
  const column = table?.columns.get(command.name ?? '');
  if (column && (!column.notNull || !column.hasDefault)) return;
  yield {
    code: 'default-dropped',
    // Without the schema nobody knows whether NULL may stand in its place.
    ...(!column && { severity: 'warning' as const }),
    message: `a running version that leaves ${relation.name}.${command.name ?? ''} to its default fails`,
    why: column
      ? 'The column is NOT NULL, so that INSERT without it is refused.'
      : 'If the column is NOT NULL, INSERT without it is refused.',
    remedy: 'Drop it once every running version fills the column.',
    lock: { relation: relation.name, mode: 'AccessExclusiveLock' },
  };
}

function notNullDropped({ relation, command }: Alteration): Hazard {
  return {
    code: 'not-null-dropped',
    message: `readers of ${relation.name}.${command.name ?? ''} may meet NULL once a new version writes it`,
    why: 'The running version was written for a column that is never NULL.',
    remedy: 'See that every reader knows what to do with NULL.',
    lock: { relation: relation.name, mode: 'AccessExclusiveLock' },
  };
}

function copied({ relation }: Alteration, what: string): Hazard {
  return {
    code: 'table-rewrites',
    message: `nobody can read or write ${relation.name} while all of it is copied by ${what}`,
    why: 'The table, and mostly its indexes, are written anew under AccessExclusiveLock.',
    remedy: 'Make a new table so, copy in steps, and let the next version use that; or agree on a pause.',
    lock: { relation: relation.name, mode: 'AccessExclusiveLock' },
  };
}

function triggerDisabled({ relation, alter, command }: Alteration): Hazard {
  return {
    code: 'trigger-disabled',
    message: `triggers of ${relation.name} stay off for everybody until they are enabled again`,
    why: 'What the running version writes meanwhile is not seen by them; with ALL, foreign keys are not checked either.',
    remedy: 'Leave them on; SET session_replication_role = replica switches them off for one session alone.',
    rewrite: `-- to switch them on again
${alter} ENABLE TRIGGER ${command.name === undefined ? (command.subtype === 'AT_DisableTrigAll' ? 'ALL' : 'USER') : quoted(command.name)};`,
    lock: { relation: relation.name, mode: 'ShareRowExclusiveLock' },
  };
}

/** Triggers that are made on a table in use. */
export function* triggers(step: Step): Generator<Hazard> {
  const trigger = as(step.node, 'CreateTrigStmt');
  const table = relationOf(
    [trigger?.relation?.schemaname, trigger?.relation?.relname].filter((one) => one !== undefined),
  );
  if (!trigger || step.catalog.isNew(table.name)) return;
  yield {
    code: 'trigger-created',
    message: `${textsOf(trigger.funcname).join('.')}() now runs with writes of ${table.name} by the running version too`,
    why: 'Where it fails or waits, so do they. The lock itself is held for a moment.',
    remedy: 'See that it can’t fail on what the running version writes.',
    lock: { relation: table.name, mode: 'ShareRowExclusiveLock' },
  };
}
