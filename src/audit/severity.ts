import { CVSS30, CVSS31, CVSS40 } from '@pandatix/js-cvss';
import { objectList, textOf } from '../packages/values.ts';
import { isObject } from '../project/json.ts';

/** From harmless to grave, by the words of GitHub's advisories. */
export const SEVERITIES = ['low', 'moderate', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** How grave a vulnerability is. */
export interface Graveness {
  /** Absent where nobody has said it. */
  readonly severity?: Severity;
  /** CVSS base score, 0 to 10. */
  readonly score?: number;
}

/**
 * What an OSV record says (https://ossf.github.io/osv-schema/#severity-field): the word of the advisory's own database,
 * else the score of its newest CVSS vector. A malicious package has neither, and is the gravest of all.
 */
export function gravenessOf(record: Readonly<Record<string, unknown>>): Graveness {
  const own = isObject(record['database_specific']) ? textOf(record['database_specific']['severity']) : undefined;
  const word = SEVERITIES.find((one) => one === own?.toLowerCase()) ?? (own === 'MEDIUM' ? 'moderate' : undefined);
  const vectors = objectList(record['severity']).flatMap(({ score }) => textOf(score) ?? []);
  // `CVSS:4.0/…` stands before `CVSS:3.1/…` and that before `CVSS:3.0/…`.
  const score = vectors
    .toSorted()
    .toReversed()
    .map(scoreOf)
    .find((one) => one !== undefined);
  const severity = isMalware(record) ? 'critical' : (word ?? (score === undefined ? undefined : wordOf(score)));
  return { ...(severity !== undefined && { severity }), ...(score !== undefined && { score }) };
}

/** Whether the record is of a package made to do harm: https://github.com/ossf/malicious-packages. */
export function isMalware(record: Readonly<Record<string, unknown>>): boolean {
  return textOf(record['id'])?.startsWith('MAL-') === true;
}

/** The base score of a vector by the CVSS specifications 3.0, 3.1 and 4.0 (https://www.first.org/cvss/); undefined for others. */
export function scoreOf(vector: string): number | undefined {
  try {
    if (vector.startsWith('CVSS:4.0/')) return new CVSS40(vector).Score();
    if (vector.startsWith('CVSS:3.1/')) return new CVSS31(vector).BaseScore();
    if (vector.startsWith('CVSS:3.0/')) return new CVSS30(vector).BaseScore();
  } catch {
    // Not a vector: then nobody has said it.
  }
  return undefined;
}

/** The qualitative scale of CVSS 3 and 4 (3.1 specification, section 5), with GitHub's word for medium. */
function wordOf(score: number): Severity {
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  return score >= 4 ? 'moderate' : 'low';
}
