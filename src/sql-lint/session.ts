import type { Node, VariableSetStmt } from 'libpg-query';
import type { RelationLock } from '../migration/finding.ts';
import { as } from './clauses.ts';

export const TIMEOUTS = ['lock_timeout', 'statement_timeout'] as const;
export type Timeout = (typeof TIMEOUTS)[number];

/** A lock that is held until its transaction ends. */
export interface HeldLock extends RelationLock {
  readonly line: number;
}

/** The session that runs a script: its transaction, its timeouts, and what it holds. */
export class Session {
  /** Whose transaction is open: the tool's, or one that the script began on a line. */
  transaction: 'none' | 'tool' | { readonly line: number };
  /** Milliseconds by name; undefined where the script set none. */
  readonly timeouts = new Map<Timeout, number>();
  /** Locks on relations that others use, of this transaction. */
  held: HeldLock[] = [];
  /** Values added to enums in this transaction, with the type's name. */
  readonly newEnumValues = new Map<string, string>();
  /** Tables that the script altered, with the line where it did first. */
  readonly altered = new Map<string, number>();
  /** What a transaction that ends takes back. */
  #before = new Map<Timeout, number>();

  constructor(toolTransaction: boolean) {
    this.transaction = toolTransaction ? 'tool' : 'none';
  }

  get inTransaction(): boolean {
    return this.transaction !== 'none';
  }

  begin(line: number): void {
    if (this.inTransaction) return;
    this.transaction = { line };
    this.#before = new Map(this.timeouts);
  }

  end(): void {
    this.transaction = 'none';
    this.forget();
    for (const name of TIMEOUTS) {
      if (!this.#local.has(name)) continue;
      const before = this.#before.get(name);
      if (before === undefined) this.timeouts.delete(name);
      else this.timeouts.set(name, before);
    }
    this.#local.clear();
  }

  /** What goes with the transaction: outside of one, after every statement. */
  forget(): void {
    this.held = [];
    this.newEnumValues.clear();
  }

  readonly #local = new Set<Timeout>();

  set({ name, value, isLocal }: Setting): void {
    if (isLocal && !this.inTransaction) return;
    for (const timeout of TIMEOUTS) {
      if (name !== 'all' && name !== timeout) continue;
      // The server's own default is to wait without end.
      this.timeouts.set(timeout, value ?? 0);
      if (isLocal) this.#local.add(timeout);
      else this.#local.delete(timeout);
    }
  }
}

/** A timeout that a statement sets; `all` and no value where it resets them. */
export interface Setting {
  readonly name: Timeout | 'all';
  /** Milliseconds; 0 waits for ever. Undefined where it goes back to the default. */
  readonly value: number | undefined;
  readonly isLocal: boolean;
}

/** The timeouts that a statement sets, by SET, RESET or `set_config`. */
export function settingsOf(node: Node): readonly Setting[] {
  const set = as(node, 'VariableSetStmt');
  if (set) return settingOf(set);
  return (as(node, 'SelectStmt')?.targetList ?? []).flatMap((target) => {
    const call = as(as(target, 'ResTarget')?.val, 'FuncCall');
    if (as(call?.funcname?.at(-1), 'String')?.sval !== 'set_config') return [];
    const [name, value, local] = (call?.args ?? []).map((arg) => as(arg, 'A_Const'));
    const timeout = TIMEOUTS.find((one) => one === name?.sval?.sval);
    const isLocal = local?.boolval?.boolval === true;
    return timeout === undefined ? [] : [{ name: timeout, value: milliseconds(value?.sval?.sval ?? ''), isLocal }];
  });
}

function settingOf(set: VariableSetStmt): readonly Setting[] {
  const isLocal = set.is_local === true;
  if (set.kind === 'VAR_RESET_ALL') return [{ name: 'all', value: undefined, isLocal }];
  const name = TIMEOUTS.find((one) => one === set.name);
  if (name === undefined) return [];
  if (set.kind !== 'VAR_SET_VALUE') return [{ name, value: undefined, isLocal }];
  const constant = as(set.args?.[0], 'A_Const');
  const text = constant?.sval?.sval ?? constant?.fval?.fval ?? String(constant?.ival?.ival ?? 0);
  return [{ name, value: milliseconds(text), isLocal }];
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration as PostgreSQL's settings write it, in milliseconds, which is also its unit where none is given. */
export function milliseconds(text: string): number | undefined {
  const [, number, unit = ''] = /^\s*([\d.]+)\s*(us|ms|s|min|h|d)?\s*$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * (UNITS[unit] ?? 1);
}
