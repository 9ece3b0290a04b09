import type { Place } from '../action/errors.ts';
import type { Finding } from '../migration/finding.ts';

/** A statement by its text and where it stands; where that is not known, the file alone. */
export interface Placed {
  readonly sql: string;
  readonly place: Place;
}

/**
 * Whether a finding is about a statement: it stands within it, or, where a program made the statement and no line shows
 * it, quotes it.
 */
export function isAbout({ place, statement }: Finding, { sql, place: own }: Placed): boolean {
  if (own.file !== place.file) return false;
  if (place.line === undefined || own.line === undefined) {
    return statement !== undefined && squeezed(sql).startsWith(squeezed(statement).replace(/…$/, ''));
  }
  if (own.line > place.line || (own.line === place.line && (own.column ?? 1) > (place.column ?? 1))) return false;
  return place.line <= (own.endLine ?? own.line + sql.split('\n').length - 1);
}

function squeezed(sql: string): string {
  return sql.replaceAll(/\s+/g, ' ').trim().replace(/;$/, '');
}
