import { type Field, lines } from '../action/fields.ts';

/** A vulnerability that a team has looked at and lives with until a day. */
export interface Ignore {
  /** Such as `GHSA-xxxx-xxxx-xxxx` or `CVE-2026-1234`. */
  readonly id: string;
  /** The last day, as `2027-01-01`. */
  readonly until: string;
  readonly reason: string;
}

const FORM = /([A-Z][A-Z0-9]*-[\w.-]+)\s+until\s+(\d{4}-\d{2}-\d{2})\s+(\S.*)/;

/** Lines of `GHSA-… until 2027-01-01 why it does not matter here`. Without a day and a reason nobody would look again. */
export function ignores(): Field<readonly Ignore[]> {
  const inner = lines({
    pattern: FORM,
    allowed: 'lines such as `GHSA-abcd-efgh-ijkl until 2027-01-01 only used by the tests`',
  });
  return {
    ...inner,
    parse: (raw) =>
      inner.parse(raw).map((line) => {
        const [, id = '', until = '', reason = ''] = new RegExp(`^${FORM.source}$`).exec(line) ?? [];
        if (Number.isNaN(Date.parse(until))) throw new Error(`has a day that is none: ${until}`);
        return { id, until, reason };
      }),
  };
}
