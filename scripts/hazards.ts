import type { Finding } from '../src/migration/finding.ts';
import { HAZARDS, hazardKind } from '../src/sql-lint/hazards.ts';
import { lint } from '../src/sql-lint/lint.ts';
import { EXAMPLES, known } from './hazard-examples.ts';

/** Where the page lies, from the root of the repository. */
export const HAZARDS_PAGE = 'docs/migration-hazards.md';

const HEAD = `# Hazards of PostgreSQL migrations

What \`migrate-db\` finds in the SQL of a migration, by the code under which it is told. An **error** may block the
business, lose data or break the running version; a **warning** is worth mending; a **notice** changes no risk. Those
marked *after the deploy* break the version that runs now. The safe forms are what the linter says to the examples, with
the names of their tables put in.

To allow one where it is meant, say why above the statement:

\`\`\`sql
-- migrate-db: allow index-not-concurrent because carriers has 12 rows
CREATE INDEX carriers_name ON carriers (name);
\`\`\`

The codes of what can't be judged and of these comments themselves can't be allowed away by silence: a comment without a
reason, with a code that does not exist, or above a statement without the hazard is a finding too. Tables that a script
creates are exempt in it, though not by \`IF NOT EXISTS\`, and so are tables that are known to be small where what harms
grows with the size. A rehearsal may tell \`table-rewrites\` and \`table-scanned-under-lock\` where the text shows nothing;
they are allowed in the same way.

What the linter goes by was measured: a [corpus](../test/sql-lint/corpus) of statements runs on a real PostgreSQL, which
shows what each locks, reads and writes anew, and which queries of a running version fail afterwards.
`;

/** Those of MySQL are shown where they are found. */
type PostgresCode = keyof typeof HAZARDS;

/** The page of all hazards. */
export async function hazardsPage(): Promise<string> {
  const parts = [HEAD];
  for (const code of Object.keys(HAZARDS) as PostgresCode[]) parts.push(await section(code));
  return `${parts.join('\n').trimEnd()}\n`;
}

/** What the linter says to the example of a hazard. */
export async function onExample(code: PostgresCode): Promise<readonly Finding[]> {
  const { sql, transaction = false, version } = EXAMPLES[code];
  const script = { file: 'example.sql', sql, firstLine: 1, transaction };
  return lint([script], {
    setsTimeouts: !code.includes('timeout-missing'),
    known,
    ...(version !== undefined && { version }),
  });
}

async function section(code: PostgresCode): Promise<string> {
  const kind = hazardKind(code);
  const { sql, transaction } = EXAMPLES[code];
  const finding = (await onExample(code)).find((one) => one.code === code);
  const phase = kind.phase === undefined ? '' : ', *after the deploy*';
  const lines = [`## ${code}`, '', `**${kind.severity}**${phase} — ${kind.title}.`];
  if (finding) lines.push(`${finding.why} ${finding.remedy}`);
  lines.push(
    '',
    '```sql',
    ...(transaction ? ['-- in a transaction of its tool'] : []),
    sql.replaceAll('\0', '␀').trimEnd(),
  );
  if (finding?.rewrite !== undefined) lines.push('```', '', 'Safe:', '', '```sql', finding.rewrite);
  return [...lines, '```', ''].join('\n');
}
