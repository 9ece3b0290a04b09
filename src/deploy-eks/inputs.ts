import { choice, duration, flag, lines, list, optionalFlag, secret, text } from '../action/fields.ts';
import type { Inputs } from '../action/inputs.ts';
import { clusterInputs } from '../cluster/target.ts';

const NAME = /[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/;
const IMAGE = /[A-Za-z0-9._/-]+=[A-Za-z0-9][A-Za-z0-9._/:@-]*/;

/** What deploy-eks takes; actions/deploy-eks/action.yml says the same in words, and a contract test holds both together. */
export const inputs = {
  ...clusterInputs,
  namespace: text({ pattern: NAME, allowed: 'a Kubernetes namespace: lower case letters, digits and -' }),
  manifests: list({
    default: 'k8s',
    required: true,
    allowed: 'files, directories or globs inside the repository, one a line',
  }),
  images: lines({ pattern: IMAGE, allowed: 'lines of name=repository@sha256:…' }),
  'require-digest': optionalFlag(),
  environment: text({ allowed: 'the name of a GitHub environment', max: 255 }),
  'environment-url': text({ pattern: /https?:\/\/[^\s"'<>`]+/, allowed: 'an http(s) address' }),
  timeout: duration({ default: '10m', min: '5s', max: '5h' }),
  'on-failure': choice(['rollback', 'leave'], { default: 'rollback' }),
  'dry-run': flag({ default: 'false' }),
  'github-token': secret({ default: '${{ github.token }}' }),
} as const;

/** The parsed inputs of deploy-eks. */
export type DeployInputs = Inputs<typeof inputs>;
