// What a tool sees of the job's environment.
import { expect, test } from '@jest/globals';
import { toolEnvironment, urlOf } from '../../src/migration/address.ts';

const ADDRESS = { host: '127.0.0.1', port: 5999, user: 'shop', password: 'once', database: 'shop' };

test('nothing in it leads to another database, or tells its password', () => {
  const inherited = {
    PATH: '/usr/bin',
    DIRECT_URL: 'postgres://shop:real@db.example/shop',
    SHOP_DSN: ' postgresql+psycopg://shop:real@db.example/shop',
    SHOP_JDBC: 'jdbc:postgresql://db.example/shop?password=real',
    PGPASSWORD: 'real',
    PGHOSTADDR: '192.0.2.1',
    PGSERVICE: 'production',
    PGSSLROOTCERT: '/ca.pem',
    DB_PASSWORD: 'real',
  };
  const env = { ...inherited, ...toolEnvironment(inherited, ADDRESS, { FLYWAY_USER: 'shop' }) };
  expect(JSON.stringify(env)).not.toMatch(/real|db\.example|192\.0\.2\.1|production|ca\.pem/);
  expect(env).toMatchObject({
    PATH: '/usr/bin',
    DIRECT_URL: urlOf(ADDRESS),
    SHOP_DSN: 'postgresql+psycopg://shop:once@127.0.0.1:5999/shop?sslmode=disable',
    FLYWAY_USER: 'shop',
  });
});
