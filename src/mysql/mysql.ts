import type { Finding } from '../migration/finding.ts';
import type { Script } from '../migration/migration.ts';
import { type MysqlLintContext, lintMysql } from '../mysql-lint/lint.ts';
import { type MysqlState, type MysqlTarget, stateOf } from './state.ts';

export { applyMysql, type MysqlApplyRequest } from './apply.ts';
export { mysqlCommand, mysqlEnvironment, mysqlUrl } from './environment.ts';
export { isMysqlUrl, parseMysqlUrl } from './url.ts';
export type { MysqlState, MysqlTarget };

/**
 * Judges new scripts by their text (`mode: check`); touches no database.
 * @param all every script in order, of which `isNew` says which are judged; the others tell what the tables are
 */
export function checkMysql(
  all: readonly Script[],
  isNew: (script: Script) => boolean,
  context: Omit<MysqlLintContext, 'before'> = {},
): readonly Finding[] {
  return lintMysql(all.filter(isNew), { ...context, before: all.filter((script) => !isNew(script)) });
}

/** Reads what is pending on the target and judges it by what is known there (`mode: plan`); changes nothing. */
export async function planMysql(
  target: MysqlTarget,
  host: Parameters<typeof stateOf>[1],
): Promise<MysqlState & { readonly findings: readonly Finding[] }> {
  const state = await stateOf(target, host);
  const scripts = state.pending.flatMap(({ up }) => (up === undefined ? [] : [up]));
  const { server, sizes, definitions: before } = state;
  // What is judged is applied by this product where the tool has no command, and then with its timeouts.
  const setsTimeouts = target.tool.up === undefined;
  return { ...state, findings: lintMysql(scripts, { server, sizes, before, setsTimeouts }) };
}

/** Reads what is applied and what was left in the middle (`mode: status`); changes nothing. */
export async function statusMysql(target: MysqlTarget, host: Parameters<typeof stateOf>[1]): Promise<MysqlState> {
  return stateOf(target, host);
}
