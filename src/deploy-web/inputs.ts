import { choice, duration, flag, list, secret, text, yaml } from '../action/fields.ts';
import type { Inputs } from '../action/inputs.ts';
import { RELEASE_ID } from '../site/release.ts';

const FOLDER = /[^/\\\s][^\\]*|/;
const PREFIX = /\/?[A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*\/?/;

/** What deploy-web takes; actions/deploy-web/action.yml says the same in words, and a contract test holds both together. */
export const inputs = {
  action: choice(['deploy', 'rollback', 'remove'], { default: 'deploy' }),
  directory: text({ default: '.', pattern: FOLDER, allowed: 'a folder inside the repository' }),
  site: text({ pattern: FOLDER, allowed: 'the folder with index.html, relative to the directory' }),
  bucket: text({ pattern: /[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/, allowed: 'the name of an S3 bucket', required: true }),
  prefix: text({ pattern: PREFIX, allowed: 'a folder of the bucket such as shop/web', max: 200 }),
  distribution: text({
    pattern: /[A-Z0-9]{6,20}/,
    allowed: 'the id of a CloudFront distribution, such as E2QWRUHAPOMQZL',
  }),
  region: text({ pattern: /[a-z]{2,4}(-[a-z]+)+-\d/, allowed: 'an AWS region such as eu-central-1' }),
  'role-to-assume': text({
    pattern: /arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+/,
    allowed: 'a role ARN such as arn:aws:iam::123456789012:role/deploy',
  }),
  config: yaml(configOf, { allowed: 'YAML or JSON with names and values, such as API_URL: https://api.example.com' }),
  immutable: list({ allowed: 'globs inside the site, one a line, such as vendor/**' }),
  compress: choice(['none', 'gzip', 'brotli'], { default: 'none' }),
  'keep-old': duration({ default: '30d', min: '1h', max: '365d' }),
  preview: choice(['auto', 'true', 'false'], { default: 'auto' }),
  to: text({ pattern: RELEASE_ID, allowed: 'a release such as 20261124-093000-0123456-ab12cd' }),
  url: text({ pattern: /https?:\/\/[^\s"'<>`]+/, allowed: 'an http(s) address' }),
  environment: text({ allowed: 'the name of a GitHub environment', max: 255 }),
  timeout: duration({ default: '15m', min: '5s', max: '5h' }),
  'dry-run': flag({ default: 'false' }),
  'github-token': secret({ default: '${{ github.token }}' }),
} as const;

/** The parsed inputs of deploy-web. */
export type WebInputs = Inputs<typeof inputs>;

function configOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw new Error('is not an object');
  return value as Readonly<Record<string, unknown>>;
}
