import { choice, flag, secret } from '../action/fields.ts';
import type { Inputs } from '../action/inputs.ts';
import { ATTEST } from '../attest/when.ts';
import { ignores } from '../audit/ignore.ts';
import { LEVELS } from '../audit/levels.ts';

/** What every build action takes on what its result is made of and who made it. */
export const supplyInputs = {
  'audit-level': choice(LEVELS, { default: 'none' }),
  'audit-ignore': ignores(),
  sbom: flag({ default: 'true' }),
  attest: choice(ATTEST, { default: 'auto' }),
  sign: flag({ default: 'false' }),
  'github-token': secret({ default: '${{ github.token }}' }),
} as const;

/** The parsed inputs. */
export type SupplyInputs = Inputs<typeof supplyInputs>;
