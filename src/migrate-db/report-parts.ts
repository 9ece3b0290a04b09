import type { Place } from '../action/errors.ts';
import { showPlace } from '../action/errors.ts';
import { type Markdown, block, code, md, paragraphs, raw, table, text } from '../action/markdown.ts';
import {
  type Finding,
  LOCK_MODES,
  type LockMode,
  type Risk,
  type RelationLock,
  blockedBy,
} from '../migration/finding.ts';
import { spoken } from '../postgres/activity.ts';
import { estimate } from '../rehearsal/estimate.ts';
import type { ObservedStatement, Rehearsal, TableSize } from '../rehearsal/rehearsal.ts';
import { isAbout } from './about.ts';
import type { Checked } from './check.ts';
import { inWords } from './judge.ts';

const SHOWN_LOCKS = 3;
const SHOWN_SQL = 100;

/** Such as `2 migrations`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** Such as `PostgreSQL 15`. */
export function serverName({ server: { kind, version } }: Pick<Rehearsal, 'server'>): string {
  return `PostgreSQL ${Math.floor(version / 10_000)}${kind === 'pglite' ? ' (PGlite)' : ''}`;
}

/** Such as `4.2 GB`. */
export function bytesInWords(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** at;
  return `${value < 10 && at > 0 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} ${units[at]}`;
}

/** The statement of a rehearsal that a finding is about. */
export function observedFor(finding: Finding, { rehearsal }: Checked): ObservedStatement | undefined {
  const all = rehearsal?.migrations.flatMap(({ statements }) => statements) ?? [];
  return all.findLast((statement) => isAbout(finding, statement));
}

/** What a statement's transaction holds once it ran, by relation: what earlier statements of it took is held on. */
function heldWith(seen: ObservedStatement, { rehearsal }: Checked): ReadonlyMap<string, LockMode> {
  const all = rehearsal?.migrations.find(({ statements }) => statements.includes(seen))?.statements ?? [];
  const until = all.indexOf(seen);
  const begun = seen.inTransaction
    ? all.slice(0, until).findLastIndex(({ inTransaction }) => !inTransaction) + 1
    : until;
  const held = new Map<string, LockMode>();
  for (const { relation, mode } of all.slice(begun, until + 1).flatMap(({ locks }) => locks)) {
    if (LOCK_MODES.indexOf(mode) > LOCK_MODES.indexOf(held.get(relation) ?? 'AccessShareLock'))
      held.set(relation, mode);
  }
  return held;
}

/** What a finding means for production's table, where its size is known. */
export interface Weight {
  readonly size: TableSize;
  /** Seconds that others would wait; undefined where nothing lasts. */
  readonly seconds?: number;
}

/** How much a finding weighs in production. */
export function weightOf(finding: Finding, checked: Checked): Weight | undefined {
  const { lock } = finding;
  const size = lock && checked.sizes.get(lock.relation);
  if (lock === undefined || size === undefined) return undefined;
  const seen = blockedBy(lock.mode) === 'nothing' ? undefined : observedFor(finding, checked);
  const lasts = seen && estimate(seen, [size], checked.past);
  return { size, ...(lasts && { seconds: lasts.seconds }) };
}

/** What others wait for while a lock is held: `every query on`, `every write to`. */
export function waitingFor({ mode, relation }: RelationLock): Markdown {
  return md`${blockedBy(mode) === 'writes' ? 'every write to' : 'every query on'} ${raw(code(relation))}`;
}

/** A finding in full: where, what, what a server did, the safe form, what to do. */
export function findingBlock(finding: Finding, checked: Checked): Markdown {
  const { place, message, why, remedy, rewrite, code: name } = finding;
  const statement =
    finding.statement === undefined ? '' : md`: ${raw(code(oneLine(finding.statement), SHOWN_SQL * 2))}`;
  return paragraphs(
    md`**${lineOf(place)}**${raw(statement as Markdown)} — ${sentence(message)} ${why}${raw(evidence(finding, checked))} (${raw(code(name))})`,
    rewrite !== undefined && block(rewrite, 'sql'),
    md`**What to do:** ${remedy}`,
  );
}

/** A finding on one line. */
export function findingLine(finding: Finding): Markdown {
  const { place, message, allowed, severity, remedy, code: name } = finding;
  const sign = allowed === undefined ? { error: '⛔', warning: '⚠️', notice: 'ℹ️' }[severity] : '✔️';
  const end = allowed === undefined ? md` → ${remedy}` : md` — allowed: ${allowed}`;
  return md`- ${sign} ${raw(code(showPlace({ file: place.file, ...(place.line !== undefined && { line: place.line }) })))} ${message}${raw(end)} (${raw(code(name))})`;
}

function evidence(finding: Finding, checked: Checked): Markdown {
  const seen = observedFor(finding, checked);
  const weight = weightOf(finding, checked);
  const rehearsed =
    seen === undefined || checked.rehearsal === undefined || seen.error !== undefined
      ? ''
      : md` Rehearsed on ${serverName(checked.rehearsal)}: ${raw(didWhat(seen, finding, checked))}.`;
  // The size says nothing where nothing lasts the longer for it.
  const lasts = seen === undefined || weight?.seconds !== undefined;
  const long =
    weight?.seconds === undefined || weight.seconds < 1 ? '' : `, so that takes about ${spoken(weight.seconds)}`;
  const size =
    weight === undefined || !lasts
      ? ''
      : md` Production has about ${inWords(weight.size.rows)} rows there (${bytesInWords(weight.size.bytes)})${long}.`;
  return `${rehearsed}${size}` as Markdown;
}

function didWhat(seen: ObservedStatement, { lock }: Finding, checked: Checked): Markdown {
  const own =
    seen.locks.find(({ relation }) => relation === lock?.relation) ?? (lock ? undefined : strong(seen.locks)[0]);
  const mode = lock && heldWith(seen, checked).get(lock.relation);
  const earlier = lock && mode !== undefined && mode !== own?.mode ? { relation: lock.relation, mode } : undefined;
  const parts = [
    own && md`took **${own.mode}** on ${raw(code(own.relation))} (${waits(own)})`,
    earlier &&
      md`held **${earlier.mode}** on ${raw(code(earlier.relation))} from an earlier statement (${waits(earlier)})`,
    seen.rewritten.length > 0 && md`wrote ${raw(names(seen.rewritten))} anew`,
    seen.rewritten.length === 0 && seen.scanned.length > 0 && md`read all of ${raw(names(seen.scanned))}`,
  ].filter((part) => part !== undefined && part !== false);
  return parts.length === 0 ? text('no lock that others notice') : (parts.join(', ') as Markdown);
}

function waits({ mode }: RelationLock): string {
  const blocked = blockedBy(mode);
  return blocked === 'nothing'
    ? 'reads and writes go on'
    : blocked === 'writes'
      ? 'all writes wait'
      : 'all queries wait';
}

/** Whether a server showed that it is not so bad as the text looks. */
export function isOverruled({ source, severity }: Finding): boolean {
  return source === 'rehearsal' && severity === 'notice';
}

/** What the text says and the server did, where they differ. */
export function overruledLine(finding: Finding): Markdown {
  const statement = finding.statement === undefined ? '' : md` ${raw(code(oneLine(finding.statement), SHOWN_SQL))}`;
  return md`⚖️ **${lineOf(finding.place)}**${raw(statement as Markdown)}: ${finding.why} (${raw(code(finding.code))})`;
}

/** What each statement did in the rehearsal, as a table. */
export function statementTable(statements: readonly ObservedStatement[]): Markdown {
  return table(
    ['statement', 'locks', 'work', 'time'],
    statements.map((one) => [
      md`${lineOf(one.place)} ${raw(code(oneLine(one.sql), SHOWN_SQL))}`,
      locksOf(one.locks),
      one.error === undefined ? workCell(one) : md`❌ ${one.error.message.slice(0, 200)}`,
      text(spokenShort(one.seconds)),
    ]),
  );
}

/** Locks that matter to others, strongest first. */
export function locksOf(locks: readonly RelationLock[]): Markdown {
  const all = strong(locks);
  const shown = all.slice(0, SHOWN_LOCKS).map((lock) => md`${lock.mode} on ${raw(code(lock.relation))}`);
  const more = all.length > SHOWN_LOCKS ? [text(`and ${all.length - SHOWN_LOCKS} more`)] : [];
  return ([...shown, ...more].join('\n') || 'no other than before') as Markdown;
}

function strong(locks: readonly RelationLock[]): readonly RelationLock[] {
  const rank = ({ mode }: RelationLock): number => LOCK_MODES.indexOf(mode);
  return locks
    .filter((lock) => rank(lock) >= LOCK_MODES.indexOf('ShareUpdateExclusiveLock'))
    .toSorted((a, b) => rank(b) - rank(a));
}

function workCell({ rewritten, scanned }: ObservedStatement): Markdown {
  if (rewritten.length > 0) return md`writes ${raw(names(rewritten))} anew`;
  return scanned.length > 0 ? md`reads all of ${raw(names(scanned))}` : text('a moment, whatever the size');
}

function names(all: readonly string[]): Markdown {
  const more = all.length > 3 ? ` and ${all.length - 3} more` : '';
  return `${all
    .slice(0, 3)
    .map((name) => code(name))
    .join(', ')}${more}` as Markdown;
}

/** What the risk means for those who wait for the change. */
export function riskLine(risk: Risk): Markdown {
  switch (risk) {
    case 'high':
      return md`**Risk: high** — whoever answers for the database is asked before this is applied; with the safe form nobody has to be.`;
    case 'low':
      return md`**Risk: low** — it is applied without anybody being asked.`;
    case 'none':
      return md`**Risk: none**`;
  }
}

/** Seconds of a rehearsal or a statement: `3 ms`, `0.4 s`, `6 min`. */
export function spokenShort(seconds: number): string {
  return seconds < 0.1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : spoken(seconds);
}

function lineOf({ file, line }: Place): string {
  return line === undefined ? baseName(file) : `${baseName(file)} line ${line}`;
}

export function baseName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1);
}

function oneLine(sql: string): string {
  return sql.replaceAll(/\s+/g, ' ').trim();
}

function sentence(message: string): string {
  return /[.!?…]$/.test(message) ? message : `${message}.`;
}
