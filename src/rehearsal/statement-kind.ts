// Which statements can be watched how, by their first words. A parser is not needed for it, and may be too old for them.

/** Statements that open, end or part a transaction. */
const CONTROL = /^(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b/;

/** Statements that change data or schema, and so take locks worth knowing. */
const CHANGES =
  /^(create|alter|drop|truncate|reindex|cluster|refresh|comment|insert|update|delete|merge|with|do|lock|grant|revoke|copy|reassign|security|import|vacuum|analyze|call|select\s[^]*\()/;

/** Statements that the server refuses in a transaction (`PreventInTransactionBlock` in its source), or that end it themselves. */
const ALONE = [
  /^(create|drop)\s+(database|tablespace|subscription)\b/,
  /^alter\s+(system|subscription)\b/,
  /^alter\s+database\b[^]*\btablespace\b/,
  /^alter\s+type\b[^]*\badd\s+value\b/,
  /^(create|drop)\s+(unique\s+)?index\s+concurrently\b/,
  /^reindex\b[^]*\bconcurrently\b/,
  /^reindex\s+(\([^)]*\)\s*)?(schema|database|system)\b/,
  /^alter\s+table\b[^]*\bdetach\s+partition\b[^]*\bconcurrently\b/,
  /^vacuum\b/,
  /^cluster\s*(\([^)]*\)|verbose)?\s*$/,
  /^(commit|rollback)\s+prepared\b/,
  /^discard\s+all\b/,
  /^call\b/,
  /^do\b[^]*\b(commit|rollback)\b/,
];

/** A statement in small letters without the comments before it. */
function plain(sql: string): string {
  return sql
    .replace(/^(?:\s+|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/)+/, '')
    .replace(/;\s*$/, '')
    .slice(0, 100_000)
    .toLowerCase();
}

/**
 * How a statement is watched: `inside` a transaction, whose locks can be asked for before it ends; `beside` it by
 * another session, where it runs in none; `not` where it takes no lock worth knowing.
 */
export function watchedHow(sql: string): 'inside' | 'beside' | 'not' {
  const text = plain(sql);
  if (ALONE.some((pattern) => pattern.test(text))) return 'beside';
  return CHANGES.test(text) ? 'inside' : 'not';
}

/** Whether it begins, ends or parts a transaction. */
export function controlsTransaction(sql: string): boolean {
  return CONTROL.test(plain(sql));
}

/** Whether it takes a transaction back, all of it or a part. */
export function takesBack(sql: string): boolean {
  return /^(rollback|abort)\b/.test(plain(sql));
}

/** Whether it may write rows of a table. */
export function writesRows(sql: string): boolean {
  return /^(insert|update|delete|merge|with|copy|do|call|select)\b/.test(plain(sql));
}

/** Whether it only reads or sets. */
export function onlyReads(sql: string): boolean {
  return /^(select|show|set|reset|values|explain|table|listen|unlisten|discard|deallocate|prepare|fetch|close)\b|^$/.test(
    plain(sql),
  );
}

/** Whether what runs in no transaction reads its tables from end to end. */
export function readsAll(sql: string): boolean {
  return /^(create\s+(unique\s+)?index|reindex|cluster|vacuum)\b/.test(plain(sql));
}

/** The lock that a statement takes which runs in no transaction (manual, 13.3.1): known where it can't be seen. */
export function knownLock(sql: string): 'AccessExclusiveLock' | 'ShareUpdateExclusiveLock' | undefined {
  const text = plain(sql);
  if (/^(vacuum\s*\(?[^;)]*\bfull\b|cluster\b)/.test(text)) return 'AccessExclusiveLock';
  return /^vacuum\b|\bconcurrently\b/.test(text) ? 'ShareUpdateExclusiveLock' : undefined;
}
