import type { Log } from '../action/log.ts';
import type { Finding } from '../migration/finding.ts';
import { isOverruled } from './report-parts.ts';

const METHODS = { error: 'error', warning: 'warning', notice: 'notice' } as const;

/** Puts every finding that nobody allowed at its line; GitHub shows the first ten of a kind, the log has them all. */
export function annotate(findings: readonly Finding[], log: Pick<Log, 'error' | 'warning' | 'notice'>): void {
  for (const finding of findings) {
    const { severity, place, code, message, remedy, rewrite, allowed } = finding;
    if (allowed !== undefined || isOverruled(finding)) continue;
    const safe = rewrite === undefined ? '' : `\n${rewrite}`;
    log[METHODS[severity]](`${message} → ${remedy} (${code})${safe}`, place);
  }
}
