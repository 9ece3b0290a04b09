import { choice, flag, list, text } from '../action/fields.ts';
import type { Inputs } from '../action/inputs.ts';
import { buildInputs } from '../build/inputs.ts';
import { MANAGERS } from './manager.ts';

const GROUP = /[A-Za-z0-9][\w.-]*/;

/** What build-python takes; actions/build-python/action.yml says the same in words, and a contract test holds both together. */
export const inputs = {
  ...buildInputs,
  'package-manager': choice(['auto', ...MANAGERS], { default: 'auto' }),
  'python-version': text({ allowed: 'a version or range of Python, such as 3.13 or >=3.12', max: 100 }),
  checks: list({ pattern: /[\w.: -]+/, allowed: 'kinds of checks or tools, such as lint, test or ruff' }),
  groups: list({ pattern: GROUP, allowed: 'names of dependency groups' }),
  extras: list({ pattern: GROUP, allowed: 'names of extras of the project' }),
  package: flag({ default: 'false' }),
  publish: flag({ default: 'false' }),
} as const;

/** The parsed inputs of build-python. */
export type PythonInputs = Inputs<typeof inputs>;
