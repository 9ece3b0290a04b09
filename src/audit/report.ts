import { type Markdown, code, details, link, md, paragraphs, raw, table, text } from '../action/markdown.ts';
import type { Finding } from './audit.ts';
import type { AuditOutcome } from './run.ts';

const MAX_ROWS = 20;
const MARKS = { critical: '🟥', high: '🟧', moderate: '🟨', low: '⬜' } as const;

/** The part of a summary that tells the known vulnerabilities; undefined where there is nothing to tell. */
export function auditPart({ audit, stopping, unknown }: AuditOutcome): Markdown | undefined {
  if (unknown !== undefined) return md`⚠️ **Known vulnerabilities are not told:** ${unknown}`;
  if (audit === undefined) return undefined;
  const shown = audit.findings.filter(({ ignored }) => ignored === undefined);
  const ignored = audit.findings.filter((finding) => finding.ignored !== undefined);
  const idle = audit.idle.map(({ entry, why }) =>
    why === 'over'
      ? md`⚠️ The day of ${raw(code(entry.id))} in audit-ignore is over (${entry.until}): it counts again.`
      : md`${raw(code(entry.id))} in audit-ignore is found nowhere: take the line out.`,
  );
  const open =
    audit.open.length > 0 &&
    md`No version is locked of ${audit.open.slice(0, 10).join(', ')}, so nothing is known of them.`;
  const blocked = new Set(stopping);
  const rest = shown.filter((finding) => !blocked.has(finding));
  const tables = [
    stopping.length > 0 && paragraphs(text('Known vulnerabilities that stop this build'), findingTable(stopping)),
    rest.length > 0 && details(`${counted(rest)} in ${audit.packages} packages`, findingTable(rest)),
    ignored.length > 0 && details(`Let pass by audit-ignore (${ignored.length})`, ignoredTable(ignored)),
  ].filter((part) => part !== false);
  if (tables.length === 0 && idle.length === 0 && open === false) return undefined;
  return paragraphs(...tables, ...idle, open);
}

/** One line for the log and the table of steps: `2 high, 1 low (3 for developing only)`. */
export function auditLine({ audit, unknown }: AuditOutcome): string {
  if (unknown !== undefined) return 'not told';
  const findings = (audit?.findings ?? []).filter(({ ignored }) => ignored === undefined);
  return findings.length === 0 ? `none known in ${audit?.packages ?? 0} packages` : counted(findings);
}

function counted(findings: readonly Finding[]): string {
  const words = ['critical', 'high', 'moderate', 'low', undefined] as const;
  const parts = words.flatMap((word) => {
    const count = findings.filter(({ severity }) => severity === word).length;
    return count === 0 ? [] : [`${count} ${word ?? 'of unknown severity'}`];
  });
  const dev = findings.filter((finding) => finding.package.dev).length;
  return `${parts.join(', ')} known ${findings.length === 1 ? 'vulnerability' : 'vulnerabilities'}${dev > 0 ? ` (${dev} for developing only)` : ''}`;
}

function findingTable(findings: readonly Finding[]): Markdown {
  const rows = findings.slice(0, MAX_ROWS).map((finding) => {
    const { package: one, severity, score, fixed, path, summary, malware } = finding;
    const word = malware ? 'malicious' : (severity ?? 'unknown');
    return [
      text(
        `${severity === undefined ? '' : `${MARKS[severity]} `}${word}${score === undefined ? '' : ` ${score.toFixed(1)}`}`,
      ),
      code(`${one.name}@${one.version}`),
      text(one.dev ? `${way(path)} (developing)` : way(path)),
      fixed === undefined ? text('none') : code(fixed),
      md`${raw(link(finding.id, `https://osv.dev/vulnerability/${finding.id}`))} ${summary.slice(0, 150)}`,
    ];
  });
  const more = findings.length - rows.length;
  return paragraphs(
    table(['severity', 'package', 'needed by', 'fixed in', 'what'], rows),
    more > 0 && md`… and ${more} more.`,
  );
}

function ignoredTable(findings: readonly Finding[]): Markdown {
  const rows = findings
    .slice(0, MAX_ROWS)
    .map(({ id, package: one, ignored }) => [
      code(id),
      code(`${one.name}@${one.version}`),
      text(ignored?.until ?? ''),
      text(ignored?.reason ?? '', 200),
    ]);
  return table(['what', 'package', 'until', 'reason'], rows);
}

function way(path: readonly string[]): string {
  return path.length <= 1 ? 'the project' : path.slice(0, -1).join(' > ');
}

/** How many of each severity are known and not let pass, for those that run in production. */
export function countsOf({ audit }: AuditOutcome): Readonly<Record<string, number>> {
  const counted = (audit?.findings ?? []).filter((one) => one.ignored === undefined && !one.package.dev);
  const count = (severity: string): number => counted.filter((one) => (one.severity ?? 'unknown') === severity).length;
  return Object.fromEntries(
    ['critical', 'high', 'moderate', 'low', 'unknown'].map((severity) => [severity, count(severity)]),
  );
}
