import { isObject } from '../project/json.ts';
import { Gatherer, type ParsedCoverage, addLine } from './coverage.ts';

/**
 * Reads istanbul's JSON: coverage-final.json has for each file a `statementMap` and the counts `s`, and a line ran as
 * often as the statement on it that ran most; coverage-summary.json has totals only.
 * @returns undefined when the value is neither
 */
export function parseIstanbul(value: unknown): ParsedCoverage | undefined {
  if (!isObject(value)) return undefined;
  const summary = isObject(value['total']) ? value['total']['lines'] : undefined;
  if (isObject(summary) && isCount(summary['total']) && isCount(summary['covered'])) {
    const { total, covered } = summary;
    return { files: new Map(), roots: [], total: { total, covered: Math.min(covered, total) } };
  }
  const gathered = new Gatherer();
  for (const [name, entry] of Object.entries(value)) {
    if (!isObject(entry) || !isObject(entry['statementMap']) || !isObject(entry['s'])) return undefined;
    const lines = gathered.file(typeof entry['path'] === 'string' ? entry['path'] : name);
    for (const [id, statement] of Object.entries(entry['statementMap'])) {
      const start = isObject(statement) ? statement['start'] : undefined;
      if (isObject(start)) addLine(lines, Number(start['line']), Number(entry['s'][id] ?? 0));
    }
  }
  return gathered.files.size === 0 ? undefined : { files: gathered.files, roots: [] };
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0;
}
