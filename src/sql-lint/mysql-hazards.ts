import type { HazardKind } from './hazards.ts';

const slow = { severity: 'error', bySize: true } as const;
const fails = { severity: 'error' } as const;
const mild = { severity: 'warning' } as const;

/** Hazards of MySQL and MariaDB alone, by the code under which they are allowed; the others are those of PostgreSQL. */
export const MYSQL_HAZARDS = {
  'alter-copies-table': { title: 'the table is copied while writes wait', ...slow },
  'alter-blocks-writes': { title: 'the table is changed in place while writes wait', ...slow },
  'alter-rebuilds-table': { title: 'the table is written anew beside the running service', ...mild, bySize: true },
  'column-type-copies': { title: 'a change of type copies the table', ...slow },
  'column-order-rebuilds': { title: 'a column’s place rewrites the table', ...mild, bySize: true },
  'charset-copies': { title: 'a change of the character set copies the table', ...slow },
  'enum-copies': { title: 'values of an ENUM or SET change other than at the end', ...slow },
  'primary-key-rebuilds': { title: 'a new primary key rewrites the table', ...slow },
  'foreign-key-copies': { title: 'a foreign key is added by copying the table', ...slow },
  'check-copies': { title: 'a CHECK is added by copying the table', ...slow },
  'algorithm-missing': { title: 'nothing keeps the server from copying the table', severity: 'notice' },
  'algorithm-refused': { title: 'the server refuses the ALGORITHM or LOCK that is asked for', ...fails },
  'several-ddl': { title: 'several changes of the schema, each committed by itself', ...mild },
  'ddl-commits': { title: 'a change of the schema commits the open transaction', ...mild },
  'utf8-three-bytes': { title: 'utf8 takes three bytes at most, and so no emoji', ...mild },
  'engine-unsafe': { title: 'a table in an engine without transactions', ...mild },
  'select-locks-source': { title: 'rows are copied under locks on the table they come from', ...mild },
  'client-command': { title: 'a command of the mysql client, which no server knows', ...fails },
} as const satisfies Readonly<Record<string, HazardKind>>;
