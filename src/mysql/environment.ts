import { UserError } from '../action/errors.ts';
import { jdbcOf, ownNames, urlOf } from '../migration/address.ts';
import type { Address, Command, Found, Tool } from '../migration/tool.ts';
import type { Connection } from '../postgres/database.ts';

/** The connection as a URL; what is in it is escaped. */
export function mysqlUrl({ host, port, user, password, database }: Connection): string {
  const [name, word, base] = [user, password, database].map((part) => encodeURIComponent(part));
  if (host.startsWith('/')) return `mysql://${name}:${word}@localhost/${base}?socket=${encodeURIComponent(host)}`;
  return `mysql://${name}:${word}@${host.includes(':') ? `[${host}]` : host}:${port}/${base}`;
}

/** Names that say the same to programs for MySQL as those of PostgreSQL do to others. */
export function mysqlEnvironment(connection: Connection): Readonly<Record<string, string>> {
  const { host, port, user, password, database } = connection;
  return {
    DATABASE_URL: mysqlUrl(connection),
    MYSQL_URL: mysqlUrl(connection),
    MYSQL_HOST: host,
    MYSQL_PORT: String(port),
    MYSQL_TCP_PORT: String(port),
    MYSQL_USER: user,
    MYSQL_PASSWORD: password,
    MYSQL_PWD: password,
    MYSQL_DATABASE: database,
  };
}

/**
 * How a tool applies what is pending on MySQL. There is no relay before it, so it gets the connection itself, by its
 * environment alone.
 * @throws UserError for a tool that takes it as an argument, which everybody on the machine could read
 */
export function mysqlCommand(tool: Tool, found: Found, connection: Connection): Command {
  const address: Address = connection;
  const command = tool.up?.(found, address);
  if (command === undefined) throw new Error(`${tool.name} has no command`);
  const [url, jdbc] = [urlOf(address), jdbcOf(address)];
  if (command.args.some((arg) => arg.includes(url) || arg.includes(connection.password))) {
    throw new UserError(`${tool.title} takes its database on the command line, where others could read the password`, {
      remedy: 'Give its command by the input command, with the database read from DATABASE_URL in there.',
    });
  }
  const toMysql = (value: string): string =>
    value
      .replaceAll(url, mysqlUrl(connection))
      .replaceAll(
        jdbc,
        `jdbc:mysql://${connection.host}:${connection.port}/${encodeURIComponent(connection.database)}`,
      );
  const kept = Object.entries(command.env).filter(([name]) => !/^(?:PG|POSTGRES)/.test(name));
  return {
    ...command,
    env: {
      ...mysqlEnvironment(connection),
      ...ownNames({ ...connection, port: String(connection.port), url: mysqlUrl(connection) }, found),
      ...Object.fromEntries(kept.map(([name, value]) => [name, toMysql(value)])),
    },
  };
}
