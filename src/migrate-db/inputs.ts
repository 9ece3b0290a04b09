import {
  type Field,
  choice,
  duration,
  flag,
  integer,
  lines,
  pairs,
  quote,
  secret,
  text,
  yaml,
} from '../action/fields.ts';
import type { Inputs } from '../action/inputs.ts';
import { clusterInputs } from '../cluster/target.ts';
import { ADDRESS_PARTS, type AddressPart } from '../migration/address.ts';
import { TOOLS } from '../migration/tool.ts';

/** What migrate-db takes; actions/migrate-db/action.yml says the same in words, and a contract test holds both together. */
export const inputs = {
  mode: choice(['check', 'plan', 'apply', 'status', 'repair', 'capture-schema'], { default: 'check' }),
  tool: choice(['', ...TOOLS]),
  dialect: choice(['postgresql', 'mysql'], { default: 'postgresql' }),
  directory: text({ default: '.', allowed: 'a folder inside the repository' }),
  phase: choice(['all', 'expand', 'contract'], { default: 'all' }),
  'all-files': flag({ default: 'false' }),
  rehearse: flag({ default: 'true' }),
  schema: text({ allowed: 'the path of a file by pg_dump --schema-only' }),
  sizes: text({ allowed: 'the path of a JSON file that mode: plan wrote' }),
  'shadow-url': secret(),
  'postgres-version': text({ pattern: /\d{2}/, allowed: 'a major version of PostgreSQL such as 16' }),
  'database-url': secret(),
  'secret-arn': text({
    pattern: /arn:aws[a-z-]*:secretsmanager:\S+/,
    allowed: 'the ARN of a secret in Secrets Manager',
  }),
  'database-env': names(),
  'iam-auth': flag({ default: 'false' }),
  'kubernetes-secret': text({ allowed: 'namespace/name or namespace/name/key' }),
  'ca-file': text({ allowed: 'the path of a file with certificates in PEM' }),
  ...clusterInputs,
  'run-in': choice(['runner', 'kubernetes'], { default: 'runner' }),
  namespace: text({
    pattern: /[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/,
    allowed: 'a Kubernetes namespace: lower case letters, digits and -',
  }),
  workload: text({
    pattern: /(Deployment|StatefulSet|DaemonSet)\/[a-z0-9][-a-z0-9.]*(:[a-z0-9][-a-z0-9]*)?/,
    allowed: 'Deployment/name, or Deployment/name:container',
  }),
  image: text({ pattern: /[A-Za-z0-9][\w./:@-]*/, allowed: 'an image such as registry/shop/api@sha256:…' }),
  command: lines({ allowed: 'a program and its arguments, one a line' }),
  history: text({
    pattern: /([A-Za-z_][\w$]*\.){1,2}[A-Za-z_][\w$]*/,
    allowed: 'table.column or schema.table.column, as the catalog has them',
  }),
  'job-timeout': duration({ default: '30m', min: '10s', max: '5h' }),
  snapshot: text({ pattern: /rds(-cluster)?:[A-Za-z][\w-]*/, allowed: 'rds:<instance> or rds-cluster:<cluster>' }),
  'snapshot-timeout': duration({ default: '30m', min: '1m', max: '5h' }),
  backup: choice(['', 'pg_dump']),
  'backup-to': text({
    pattern: /artifact|s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[\w./=-]*)?/,
    allowed: 's3://bucket/prefix, or artifact',
  }),
  'backup-timeout': duration({ default: '10m', min: '10s', max: '2h' }),
  'lock-timeout': duration({ default: '2s', min: '100ms', max: '60s' }),
  'lock-retries': integer({ default: '10', min: 0, max: 100 }),
  'statement-timeout': duration({ default: '15m', min: '1s', max: '24h' }),
  'wait-for-migrator': duration({ default: '10m', max: '2h' }),
  'max-lag': duration({ default: '30s', max: '1h' }),
  'terminate-blockers-older-than': text({ pattern: /(\d+(ms|s|m|h))*/, allowed: 'a duration such as 5m' }),
  'fail-on': choice(['broken', 'high'], { default: 'broken' }),
  'expect-risk': choice(['', 'none', 'low', 'high']),
  'expect-pending': yaml(digests, { allowed: 'the output pending-digests of a plan' }),
  repair: lines({ allowed: 'names of what is to be mended, one a line, or all' }),
  'sarif-file': text({ allowed: 'the path of the file to write' }),
  comment: flag({ default: 'true' }),
  'github-token': secret({ default: '${{ github.token }}' }),
} as const;

/** The parsed inputs of migrate-db. */
export type MigrateInputs = Inputs<typeof inputs>;

/** Variables of a project's own naming, each with the part of the address that it takes. */
function names(): Field<ReadonlyMap<string, AddressPart>> {
  const allowed = `lines of NAME=part, where part is one of ${ADDRESS_PARTS.join(', ')}`;
  const field = pairs({ name: /[A-Za-z_][A-Za-z0-9_]{0,99}/, allowed });
  const partOf = (text: string): AddressPart => {
    const found = ADDRESS_PARTS.find((part) => part === text.toLowerCase());
    if (found === undefined) throw new Error(`has no such part: ${quote(text)}`);
    return found;
  };
  return { ...field, parse: (raw) => new Map([...field.parse(raw)].map(([name, part]) => [name, partOf(part)])) };
}

function digests(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw new Error('is no list');
  const wrong = value.find((one) => typeof one !== 'string' || !/^[0-9a-f]{16}$/.test(one));
  if (wrong !== undefined) throw new Error('holds what is no digest');
  return value as readonly string[];
}
