import type { TableSize } from '../postgres/sizes.ts';

/** What is known of a column of the schema before the scripts run. */
export interface KnownColumn {
  /** As `format_type` writes it: `character varying(20)`. */
  readonly type: string;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
}

export interface KnownConstraint {
  readonly name: string;
  readonly kind: 'check' | 'foreign key' | 'primary key' | 'unique' | 'exclusion';
  readonly columns: readonly string[];
  /** Whether all rows were checked; false after NOT VALID. */
  readonly valid: boolean;
  /** As `pg_get_constraintdef` writes it. */
  readonly definition?: string;
}

export interface KnownIndex {
  readonly name: string;
  readonly unique: boolean;
  /** Its plain columns in their order; an expression ends them. */
  readonly columns: readonly string[];
  readonly partial?: boolean;
}

/** What is known of a table of the schema before the scripts run, such as from a shadow database. */
export interface KnownTable {
  readonly kind: 'table' | 'partitioned table' | 'view' | 'materialized view';
  readonly columns: Readonly<Record<string, KnownColumn>>;
  readonly constraints: readonly KnownConstraint[];
  readonly indexes: readonly KnownIndex[];
  /** As `pg_get_partkeydef` writes it: `RANGE (created_at)`. */
  readonly partitionKey?: string;
}

/** What the linter goes by besides the text. The less is known, the more it has to assume. */
export interface LintContext {
  /** The target's `server_version_num`; PostgreSQL 15 where nobody knows. */
  readonly version?: number;
  /** Whether whoever applies the scripts sets lock_timeout and statement_timeout itself, as `mode: apply` does. */
  readonly setsTimeouts?: boolean;
  /** By name as the server shows it: without schema in `public`, else `billing.invoices`. */
  readonly known?: ReadonlyMap<string, KnownTable>;
  /** Domains with a CHECK or NOT NULL, by the same names. */
  readonly constrainedDomains?: ReadonlySet<string>;
  /** Sizes in production by the same names: what is small is soon done. */
  readonly sizes?: ReadonlyMap<string, TableSize>;
}
