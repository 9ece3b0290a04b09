import { expect, test } from '@jest/globals';
import { discreetError } from '../../src/postgres/discreet-error.ts';

test.each([
  [
    {
      code: '23505',
      message: 'could not create unique index "one"',
      detail: 'Key (mail)=(ana (at) acme) is duplicated.',
    },
    'could not create unique index "one" (Key (mail)=(…) is duplicated.)',
  ],
  [
    { code: '23503', message: 'violates "fk"', detail: 'Key (a, b)=(1, x) is not present in table "carriers".' },
    'violates "fk" (Key (a, b)=(…) is not present in table "carriers".)',
  ],
  [
    {
      code: '23514',
      message: 'check "c" is violated by some row',
      detail: 'Failing row contains (1, secret (2), null).',
    },
    'check "c" is violated by some row (Failing row contains (…).)',
  ],
  [
    { code: '22P02', message: 'invalid input syntax for type integer: "ana@acme.example"' },
    'invalid input syntax for type integer: "…"',
  ],
  [{ code: '23000', message: "Duplicate entry 'ana's' for key 'PRIMARY'" }, "Duplicate entry '…' for key 'PRIMARY'"],
  [{ code: '42703', message: 'column "carrier" does not exist' }, 'column "carrier" does not exist'],
])('of %j people read %s', (error, shown) => {
  expect(discreetError(error)).toBe(shown);
});
