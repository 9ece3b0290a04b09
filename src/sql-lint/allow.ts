import type { Comment } from '../sql/split.ts';
import { DIRECTIVE } from '../sql/split.ts';
import type { Code } from './hazards.ts';
import { isCode } from './hazards.ts';

/** `-- migrate-db: allow <code> because <reason>`, as it stands above a statement. */
export interface Allowance {
  readonly code: Code;
  readonly reason: string;
  readonly line: number;
}

/** What is wrong with such a comment. */
export interface BadAllowance {
  readonly code: 'allow-without-reason' | 'allow-unknown-code';
  readonly line: number;
  readonly message: string;
}

/** What the runner of plain SQL reads, and allows nothing. */
const NO_TRANSACTION = /^migrate-db:\s*no-transaction\s*$/;

const FORM = 'Write `-- migrate-db: allow <code> because <reason>` above the statement.';
export const ALLOW_FORM = FORM;

/** Reads the comments above a statement. */
export function allowancesOf(comments: readonly Comment[]): {
  readonly allowed: readonly Allowance[];
  readonly bad: readonly BadAllowance[];
} {
  const [allowed, bad]: [Allowance[], BadAllowance[]] = [[], []];
  for (const { text, line } of comments) {
    if (!DIRECTIVE.test(text) || NO_TRANSACTION.test(text)) continue;
    const [, code = '', reason = ''] = /^migrate-db:\s*allow\s+([^\s,]+)(?:\s+because\s+([^]*))?/.exec(text) ?? [];
    if (code !== '' && !isCode(code)) {
      bad.push({ code: 'allow-unknown-code', line, message: `there is no hazard ${shown(code)}` });
    } else if (!isCode(code) || !/\p{L}{3}/u.test(reason)) {
      const what = code === '' ? `\`${shown(text)}\` allows nothing` : `${code} is allowed without a reason`;
      bad.push({ code: 'allow-without-reason', line, message: what });
    } else allowed.push({ code, reason: reason.replaceAll(/\s+/g, ' ').trim(), line });
  }
  return { allowed, bad };
}

function shown(text: string): string {
  return text.slice(0, 80);
}
