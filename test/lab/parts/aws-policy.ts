import { isObject } from './values.ts';

interface Statement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** Statements of all roles, or of each by its ARN; undefined where nothing was set. */
export type Policies = readonly Statement[] | ReadonlyMap<string, readonly Statement[]> | undefined;

const KNOWN = new Set(['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'Condition']);

/**
 * Reads a setting: null, one policy document for all roles, or an object of documents by role ARN.
 * @throws Error for what the lab does not understand, so that no test proves something by a rule that was left out
 */
export function readPolicies(value: unknown): Policies {
  if (value === null) return undefined;
  if (!isObject(value)) throw new Error('a policy is null, a document, or documents by role ARN');
  if ('Statement' in value) return readStatements(value);
  return new Map(Object.entries(value).map(([role, document]) => [role, readStatements(document)]));
}

/** Whether IAM lets the role do it. Without a policy everything is allowed, as for a role that the map does not name. */
export function allows(policies: Policies, role: string, action: string, resource: string): boolean {
  const statements = statementsOf(policies, role);
  if (statements === undefined) return true;
  return statements.some(
    ({ actions, resources }) =>
      actions.some((pattern) => like(pattern.toLowerCase(), action.toLowerCase())) &&
      resources.some((pattern) => like(pattern, resource)),
  );
}

/**
 * Whether the role's trust policy takes an OIDC token of these claims. Without a policy every token is taken; a map that
 * does not name the role says that there is none.
 */
export function trusts(trust: Policies, role: string, claims: Readonly<Record<string, unknown>>): boolean {
  if (trust === undefined) return true;
  const statements = statementsOf(trust, role) ?? [];
  return statements.some(
    ({ actions, conditions }) =>
      actions.includes('sts:AssumeRoleWithWebIdentity') &&
      Object.entries(conditions).every(([operator, wanted]) =>
        Object.entries(wanted).every(([key, values]) => {
          const claim = String(claims[key.slice(key.indexOf(':') + 1)]);
          return values.some((value) => (operator === 'StringLike' ? like(value, claim) : value === claim));
        }),
      ),
  );
}

/** IAM's own sentence, which names the action that is missing. */
export function denial(caller: string, action: string, resource: string): string {
  const on = `User: ${caller} is not authorized to perform: ${action} on resource: ${resource}`;
  return `${on} because no identity-based policy allows the ${action} action`;
}

function statementsOf(policies: Policies, role: string): readonly Statement[] | undefined {
  return policies instanceof Map ? policies.get(role) : (policies as readonly Statement[] | undefined);
}

function readStatements(document: unknown): readonly Statement[] {
  const list: unknown = isObject(document) ? [document['Statement']].flat() : undefined;
  if (!Array.isArray(list)) throw new Error('a policy document has a Statement');
  return list.map((one: unknown) => {
    if (!isObject(one) || one['Effect'] !== 'Allow') throw new Error('the lab understands Allow statements only');
    const strange = Object.keys(one).filter((key) => !KNOWN.has(key));
    if (strange.length > 0) throw new Error(`the lab does not understand ${strange.join(', ')} of a statement`);
    return {
      actions: listed(one['Action']),
      resources: listed(one['Resource'] ?? []),
      conditions: readConditions(one['Condition'] ?? {}),
    };
  });
}

function readConditions(value: unknown): Statement['conditions'] {
  if (!isObject(value)) throw new Error('a Condition is an object');
  return Object.fromEntries(
    Object.entries(value).map(([operator, wanted]) => {
      if (!['StringEquals', 'StringLike'].includes(operator) || !isObject(wanted)) {
        throw new Error(`the lab does not understand the condition ${operator}`);
      }
      return [operator, Object.fromEntries(Object.entries(wanted).map(([key, values]) => [key, listed(values)]))];
    }),
  );
}

function listed(value: unknown): readonly string[] {
  const list: unknown[] = [value].flat();
  return list.map((one) => {
    if (typeof one !== 'string') throw new Error('a policy holds texts and lists of texts');
    return one;
  });
}

/** IAM's patterns: `*` for any text, `?` for one sign. */
function like(pattern: string, text: string): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);
}
