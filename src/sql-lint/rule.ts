import type { Node } from 'libpg-query';
import type { RelationLock, Severity } from '../migration/finding.ts';
import type { Catalog } from './catalog.ts';
import type { LintContext } from './context.ts';
import type { Code } from './hazards.ts';
import type { Session } from './session.ts';

/** A statement as rules see it, with all that was before it. */
export interface Step {
  readonly sql: string;
  readonly node: Node;
  /** The schema before it. */
  readonly catalog: Catalog;
  /** The session before it. */
  readonly session: Session;
  /** `server_version_num` of the target. */
  readonly version: number;
  readonly context: LintContext;
}

/** What a rule found about a statement; the registry of hazards says the rest. */
export interface Hazard {
  readonly code: Code;
  readonly message: string;
  readonly why: string;
  readonly remedy: string;
  readonly rewrite?: string;
  readonly lock?: RelationLock;
  /** The table whose size tells how long it takes, where no lock names it. */
  readonly table?: string;
  /** Where it is milder than the registry says. */
  readonly severity?: Severity;
  /** Where it breaks the running version although not every one of its kind does. */
  readonly phase?: 'contract';
  /** Byte of the statement at which it stands; the statement's start where absent. */
  readonly at?: number;
}

/** Looks at a statement for one family of hazards. */
export type Rule = (step: Step) => Iterable<Hazard>;
