import { describe, expect, test } from '@jest/globals';
import { UserError } from '../../src/action/errors.ts';
import { masksOf, parsePostgresUrl } from '../../src/postgres/url.ts';

describe('a URL', () => {
  test.each([
    [
      'postgres://shop:p%40ss%2F@db.example:6543/tracking',
      { host: 'db.example', port: 6543, user: 'shop', password: 'p@ss/', database: 'tracking', tls: 'verify' },
    ],
    ['postgresql://shop@[fd00::7]/tracking', { host: 'fd00::7', port: 5432, password: '' }],
    ['postgres://shop:pw@localhost/tracking', { host: 'localhost', tls: 'off' }],
    ['postgres://shop:pw@127.0.0.1/tracking?sslmode=require', { tls: 'verify' }],
    ['postgres://shop@/tracking?host=/var/run/postgresql', { host: '/var/run/postgresql', tls: 'off' }],
    ['postgres://shop:pw@%2Fvar%2Frun/tracking', { host: '/var/run', tls: 'off' }],
    [
      'postgres://db/?user=shop&password=a%3Db&dbname=x&connection_limit=5&schema=public',
      { user: 'shop', password: 'a=b', database: 'x' },
    ],
  ])('%s', (url, connection) => {
    expect(parsePostgresUrl(url).connection).toMatchObject(connection);
  });

  test.each([
    ['disable', true],
    ['allow', true],
    ['prefer', true],
    ['require', true],
    ['no-verify', true],
    ['verify-ca', false],
    ['verify-full', false],
  ])('with sslmode=%s verifies the server all the same', (mode, upgraded) => {
    const parsed = parsePostgresUrl(`postgres://shop:pw@db.example/tracking?sslmode=${mode}`);
    expect(parsed).toMatchObject({ connection: { tls: 'verify' }, upgraded });
  });

  test.each([
    ['postgres://a:b@one,two/db', /several hosts.*cluster endpoint/],
    ['postgres://a:pa/ss@db/x', /not the URL.*%2F/],
    ['postgres://a:pa@ss@db/x', /not the URL.*%40/],
    ['postgres://a:pa#ss@db/x', /not the URL.*%23/],
    ['postgres://a:b%@db/x', /password with a % that encodes nothing/],
    ['postgres://a:b@db:99999/x', /port that is none/],
    ['postgres://a:b@db/x%00y', /control character/],
    ['postgres://a:b@d b/x', /host of the wrong form/],
    ['postgres://a:b@fd00::1/x', /IPv6/],
    ['postgres://a:b@db/x?pgbouncer=true', /PgBouncer.*directUrl/],
    ['postgres://a:b@db/x?schema=shop', /ALTER ROLE/],
    ['postgres://a:b@db/x?options=-csearch_path%3Dshop', /ALTER ROLE/],
    ['postgres://a:b@db/x?sslrootcert=ca.pem', /input ca-file/],
    ['postgres://a:b@db/x?sslmode=maybe', /unknown sslmode.*verify-full/],
    ['postgres://a:b@db/x?port=1&port=2', /"?port"? twice|port twice/],
    ['postgres://a:b@db/x?what=1', /unknown parameter what/],
    ['mysql://a:b@db/x', /URL of MySQL/],
    ['jdbc:postgresql://db/x', /form of JDBC/],
    ['', /not the URL/],
  ])('%s is refused with the reason', (url, words) => {
    expect(problemsOf(url)).toMatch(words);
    expect(problemsOf(url)).not.toMatch(/pa[^s]ss/);
  });

  test('tells all that is wrong at once, and nothing of its secrets', () => {
    const told = problemsOf('postgres://:hunter22@one,two:0/?sslmode=x&hunter23=1&pgbouncer=true');
    for (const part of ['no user', 'no database', 'several hosts', 'sslmode', 'PgBouncer'])
      expect(told).toContain(part);
    expect(told).not.toContain('hunter22');
  });
});

test('a password is masked in the forms in which it shows up', () => {
  const password = `p@ss'w ö"\\!`;
  const forms = masksOf(password);
  expect(forms).toEqual(
    expect.arrayContaining([
      password,
      encodeURIComponent(password),
      'p%40ss%27w%20%C3%B6%22%5C%21',
      'p%40ss%27w%20%c3%b6%22%5c%21',
      'p%40ss%27w+%C3%B6%22%5C%21',
      `p@ss'w ö\\"\\\\!`,
      Buffer.from(password).toString('base64'),
    ]),
  );
  expect(new Set(forms).size).toBe(forms.length);
  expect(masksOf('')).toEqual([]);
});

function problemsOf(url: string): string {
  try {
    parsePostgresUrl(url);
  } catch (error) {
    if (error instanceof UserError)
      return error.problems.map(({ message, remedy }) => `${message} ${remedy}`).join('\n');
    throw error;
  }
  throw new Error('was taken');
}
