import { describe, expect, test } from '@jest/globals';
import { mysqlUrl } from '../../src/mysql/environment.ts';
import { isMysqlUrl, parseMysqlUrl } from '../../src/mysql/url.ts';

describe('a URL of MySQL', () => {
  test.each([
    [
      'mysql://shop:s%2Fe%40c@db.example.com/shop',
      { host: 'db.example.com', port: 3306, password: 's/e@c', tls: 'verify' },
    ],
    ['mariadb://shop:x@127.0.0.1:3307/shop', { host: '127.0.0.1', port: 3307, tls: 'off' }],
    ['mysql://shop@[::1]/shop', { host: '::1', password: '', tls: 'off' }],
    ['mysql://shop:x@localhost/shop?ssl-mode=REQUIRED', { host: 'localhost', tls: 'verify' }],
    ['mysql://shop:x@localhost/shop?socket=%2Frun%2Fmysqld.sock', { host: '/run/mysqld.sock', tls: 'off' }],
    ['mysql://shop:x@h/shop?charset=utf8mb4&connection_limit=5', { host: 'h' }],
  ])('%s', (url, expected) => {
    const { connection } = parseMysqlUrl(url);
    expect(connection).toMatchObject(expected);
    expect(isMysqlUrl(url)).toBe(true);
    expect(parseMysqlUrl(mysqlUrl(connection)).connection).toMatchObject({ ...expected, tls: expect.anything() });
  });

  test('is verified whatever it says', () => {
    expect(parseMysqlUrl('mysql://a:b@h/d?ssl-mode=disabled')).toMatchObject({
      upgraded: true,
      connection: { tls: 'verify' },
    });
    expect(parseMysqlUrl('mysql://a:b@h/d?sslaccept=strict').upgraded).toBe(false);
  });

  test.each([
    ['postgres://a:s3cret@h/d', /is not the URL of a MySQL/],
    ['mysql://a:s3cret@h/', /names no database/],
    ['mysql://:s3cret@h/d', /names no user/],
    ['mysql://a:s3cret@/d', /names no host/],
    ['mysql://a:s3cret@h,i/d', /several hosts/],
    ['mysql://a:s3cret@10.0.0.5/d', /a certificate is for a name/],
    ['mysql://a:s3cret@h:99999/d', /a port that is none/],
    ['mysql://a:s3cret@h/d?allowInfile=true', /unknown parameter allowinfile/],
    ['mysql://a:s3cret@h/d?multiStatements=true&sslca=x', /parameter sslca/],
    ['mysql://a:s3cret%0a@h/d', /control character/],
    ['mysql://a:s3cret%@h/d', /% that encodes nothing/],
    ['mysql://a:s3cret@h/d?ssl-mode=perhaps', /unknown ssl-mode/],
  ])('%s is refused, without showing its password', (url, message) => {
    expect(() => parseMysqlUrl(url)).toThrow(message);
    expect(() => parseMysqlUrl(url)).not.toThrow('s3cret');
  });
});
