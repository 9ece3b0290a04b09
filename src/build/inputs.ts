import { text } from '../action/fields.ts';
import type { Inputs } from '../action/inputs.ts';
import { imageInputs } from '../image/inputs.ts';

/** What every build action takes, whatever the language. */
export const buildInputs = {
  directory: text({ default: '.', allowed: 'a folder inside the repository' }),
  ...imageInputs,
} as const;

/** The parsed inputs that all build actions share. */
export type BuildInputs = Inputs<typeof buildInputs>;
