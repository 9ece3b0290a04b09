import { type Finding, LOCK_MODES } from '../migration/finding.ts';

const SEVERITIES = ['error', 'warning', 'notice'] as const;

/** Sorts findings so that what to mend first is first: what fails, then what blocks most, in the order of the scripts. */
export function byUrgency(findings: readonly Finding[]): readonly Finding[] {
  // The sort is stable: what is alike stays in the order in which it is applied.
  return findings
    .map((finding) => ({ finding, rank: rank(finding) }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ finding }) => finding);
}

function rank(finding: Finding): number {
  // What takes no lock at all and is an error still fails or breaks the running version.
  const lock = finding.lock ? LOCK_MODES.indexOf(finding.lock.mode) : LOCK_MODES.length;
  const severity = SEVERITIES.indexOf(finding.severity) + (finding.allowed === undefined ? 0 : SEVERITIES.length);
  return severity * (LOCK_MODES.length + 1) - lock;
}
