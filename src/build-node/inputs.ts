import { choice, flag, list, text } from '../action/fields.ts';
import type { Inputs } from '../action/inputs.ts';
import { buildInputs } from '../build/inputs.ts';
import { FAMILIES } from '../node/package-manager.ts';

/** What build-node takes; actions/build-node/action.yml says the same in words, and a contract test holds both together. */
export const inputs = {
  ...buildInputs,
  'package-manager': choice(['auto', ...FAMILIES], { default: 'auto' }),
  'node-version': text({ allowed: 'a version or range of Node, such as 24 or 24.11.0', max: 100 }),
  publish: flag({ default: 'false' }),
  'node-versions': list({ pattern: /[\w.<>=|~^ */-]{1,100}/, allowed: 'versions or ranges of Node, such as 22, 24' }),
  scripts: list({ pattern: /[\w:.@/-]+/, allowed: 'names of scripts of package.json, between commas or one a line' }),
  affected: flag({ default: 'false' }),
} as const;

/** The parsed inputs of build-node. */
export type NodeInputs = Inputs<typeof inputs>;
